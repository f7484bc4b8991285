//! `learn port`: where the ports of a container are published.

use super::args::Port;
use crate::cli::{Context, Failure, output};
use crate::wire::PortBinding;

/// Prints one published port, or all of them.
pub async fn port(context: &Context, port: Port) -> Result<(), Failure> {
    let container = context.client.inspect_container(&port.container).await?;
    let ports = &container.network_settings.ports;
    let mut lines = Vec::new();
    match &port.port {
        Some(wanted) => {
            let (number, protocol) = wanted.split_once('/').unwrap_or((wanted, "tcp"));
            let key = format!("{number}/{protocol}");
            if number.parse::<u16>().is_err() {
                return Err(Failure::Arguments(format!("invalid port '{number}': invalid syntax")));
            }
            let Some(bindings) = ports.get(&key).and_then(Option::as_ref) else {
                return Err(Failure::Arguments(format!(
                    "no public port '{key}' published for {}",
                    port.container
                )));
            };
            lines.extend(bindings.iter().map(address));
        }
        None => {
            for (inside, bindings) in ports {
                lines.extend(
                    bindings.iter().flatten().map(|binding| format!("{inside} -> {}", address(binding))),
                );
            }
            lines.sort_by_key(|line| line.split('/').next().and_then(|number| number.parse::<u16>().ok()));
        }
    }
    lines.iter().try_for_each(|line| output::line(line))
}

/// `0.0.0.0:8080`, `[::]:8080`.
fn address(binding: &PortBinding) -> String {
    if binding.host_ip.contains(':') {
        format!("[{}]:{}", binding.host_ip, binding.host_port)
    } else {
        format!("{}:{}", binding.host_ip, binding.host_port)
    }
}
