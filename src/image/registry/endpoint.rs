//! Where a registry answers, and the configuration that says so.

use super::challenge::Challenge;
use super::choose::Hub;
use super::error::Error;
use super::transport::Retry;
use crate::wire::Settings;
use reqwest::Url;
use std::net::IpAddr;

/// The host behind the name `docker.io`.
pub const HUB_HOST: &str = "registry-1.docker.io";

/// What the daemon's configuration says of registries; the keys are `daemon.json`'s.
#[derive(Clone, Debug)]
pub struct RegistryConfig {
    /// `registry-mirrors`: URLs asked before Docker Hub.
    pub mirrors: Vec<String>,
    /// `insecure-registries`: hosts, `host:port`, or networks as `10.0.0.0/8`, which may speak
    /// plain HTTP or show any certificate.
    pub insecure: Vec<String>,
    /// `--hub`: who answers for Docker Hub.
    pub hub: Hub,
    /// `max-concurrent-downloads`: layers on their way at one time.
    pub downloads: usize,
    /// `max-download-attempts` and the pauses between them.
    pub retry: Retry,
    /// Most bytes one layer may unpack to.
    pub unpack_limit: u64,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        RegistryConfig {
            mirrors: Vec::new(),
            insecure: Vec::new(),
            hub: Hub::Auto,
            downloads: 3,
            retry: Retry::default(),
            unpack_limit: 64 << 30,
        }
    }
}

impl RegistryConfig {
    /// What the configuration file says, over the defaults.
    ///
    /// # Errors
    /// When `hub` names no address.
    pub fn of(settings: Settings) -> Result<RegistryConfig, Error> {
        let default = RegistryConfig::default();
        let attempts = settings.max_download_attempts.and_then(|attempts| u32::try_from(attempts).ok());
        Ok(RegistryConfig {
            mirrors: settings.registry_mirrors,
            insecure: settings.insecure_registries,
            hub: settings.hub.map_or(Ok(default.hub), |hub| hub.parse())?,
            downloads: settings.max_concurrent_downloads.unwrap_or(default.downloads),
            retry: Retry { attempts: attempts.unwrap_or(default.retry.attempts), ..default.retry },
            unpack_limit: settings.unpack_limit.unwrap_or(default.unpack_limit),
        })
    }

    /// Whether a host, given as `host` or `host:port`, may be spoken to without a checked
    /// certificate. Loopback always may.
    pub fn is_insecure(&self, host: &str) -> bool {
        let name = host_name(host);
        let address = name.parse::<IpAddr>().ok();
        let matches = |entry: &String| {
            entry == host || entry == name || address.is_some_and(|address| in_network(address, entry))
        };
        is_loopback(name) || self.insecure.iter().any(matches)
    }
}

/// One place to ask.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host and port, as shown.
    pub host: String,
    /// `…/v2/`, first choice first: an insecure registry may speak either scheme.
    pub(super) bases: Vec<Url>,
    /// What it said when it was asked whether it is there, so that it is not asked twice.
    pub(super) greeting: Option<Vec<Challenge>>,
    /// Whether it stands in for another registry: credentials are not sent to it.
    pub stands_in: bool,
}

impl Endpoint {
    /// The endpoint of a registry named `host[:port]`.
    ///
    /// # Errors
    /// When that is no host.
    pub fn of(host: &str, config: &RegistryConfig) -> Result<Endpoint, Error> {
        let schemes: &[&str] = match host_name(host) {
            name if is_loopback(name) => &["http", "https"],
            _ if config.is_insecure(host) => &["https", "http"],
            _ => &["https"],
        };
        let bases = schemes.iter().map(|scheme| base(&format!("{scheme}://{host}")));
        let bases = bases.collect::<Result<_, _>>()?;
        Ok(Endpoint { host: host.to_owned(), bases, greeting: None, stands_in: false })
    }

    /// Docker Hub itself.
    ///
    /// # Errors
    /// Never: the host is a constant.
    pub fn hub(config: &RegistryConfig) -> Result<Endpoint, Error> {
        Endpoint::of(HUB_HOST, config)
    }

    /// A stand-in, given as URL or as `host[:port]`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn stand_in(address: &str, config: &RegistryConfig) -> Result<Endpoint, Error> {
        let endpoint = if address.contains("://") {
            let url = base(address)?;
            let host = url.host_str().unwrap_or_default();
            let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            Endpoint { host, bases: vec![url], greeting: None, stands_in: true }
        } else {
            Endpoint::of(address, config)?
        };
        Ok(Endpoint { stands_in: true, ..endpoint })
    }
}

fn base(address: &str) -> Result<Url, Error> {
    let wrong = || Error::Address(address.to_owned());
    let mut url = Url::parse(address).map_err(|_| wrong())?;
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
        return Err(wrong());
    }
    url.set_path("/v2/");
    url.set_query(None);
    Ok(url)
}

fn host_name(host: &str) -> &str {
    if let Some((inside, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address is in a network written as `10.0.0.0/8`.
fn in_network(address: IpAddr, network: &str) -> bool {
    let Some((start, length)) = network.split_once('/') else { return false };
    let (Ok(start), Ok(length)) = (start.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let differing = match (address, start) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insecure_hosts_are_named_by_host_port_or_network() {
        let insecure = vec!["reg.local:5000".into(), "10.0.0.0/8".into(), "plain.example".into()];
        let config = RegistryConfig { insecure, ..RegistryConfig::default() };
        for host in
            ["localhost:1", "127.9.9.9", "[::1]:5000", "reg.local:5000", "10.1.2.3:80", "plain.example:1"]
        {
            assert!(config.is_insecure(host), "{host}");
        }
        for host in ["reg.local:5001", "11.0.0.1", "docker.io"] {
            assert!(!config.is_insecure(host), "{host}");
        }
    }

    #[test]
    fn schemes_follow_trust() {
        let config = RegistryConfig { insecure: vec!["reg.local".into()], ..RegistryConfig::default() };
        let schemes = |host: &str| {
            let bases = Endpoint::of(host, &config).expect(host).bases;
            bases.iter().map(|url| url.scheme().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(schemes("127.0.0.1:5000"), "http https");
        assert_eq!(schemes("reg.local"), "https http");
        assert_eq!(schemes(HUB_HOST), "https");
        assert!(Endpoint::stand_in("ftp://x", &config).is_err());
    }
}
