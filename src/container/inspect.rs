//! A container in full.

use super::{Record, log, mounts, placement};
use crate::runtime::log_format::LogFormat;
use crate::wire::{ContainerInspect, GraphDriver};

/// What `docker inspect` shows. `directory` is the container's own, `bundle` that of its generated
/// files.
pub fn of(record: &Record, directory: &str, bundle: &str) -> ContainerInspect {
    let (path, args) = record.argv.split_first().map_or(("", &[][..]), |(path, args)| (path.as_str(), args));
    ContainerInspect {
        id: record.id.clone(),
        created: record.created.clone(),
        path: path.into(),
        args: args.to_vec(),
        state: record.state.to_wire(),
        image: record.image_id.clone(),
        resolv_conf_path: format!("{bundle}/resolv.conf"),
        hostname_path: format!("{bundle}/hostname"),
        hosts_path: format!("{bundle}/hosts"),
        // Of json-file alone, as Docker: what `local` writes is nobody else's business.
        log_path: log::plan(record, directory)
            .filter(|plan| plan.format == LogFormat::Json)
            .map_or(String::new(), |plan| plan.path),
        name: format!("/{}", record.name),
        restart_count: i64::from(record.state.restarts),
        driver: record.snapshot.driver.clone(),
        platform: "linux".into(),
        host_config: record.host_config.clone(),
        graph_driver: GraphDriver {
            data: Some(record.snapshot.data.clone()).filter(|data| !data.is_empty()),
            name: record.snapshot.driver.clone(),
        },
        mounts: mounts::plan(&record.host_config)
            .unwrap_or_default()
            .iter()
            .filter(|mount| mount.kind == "bind")
            .map(mounts::Planned::to_wire)
            .collect(),
        config: record.config.clone(),
        network_settings: placement::settings(record),
        ..ContainerInspect::default()
    }
}
