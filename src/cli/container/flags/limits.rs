//! Flags about how much a container may take.

use super::value::{self, Throttle};
use crate::wire::HostConfig;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Default, Args)]
pub struct Limits {
    #[arg(long, short = 'm', value_name = "BYTES", value_parser = value::bytes)]
    pub memory: Option<i64>,
    #[arg(long, value_name = "BYTES", value_parser = value::bytes)]
    pub memory_reservation: Option<i64>,
    #[arg(long, value_name = "BYTES", value_parser = value::bytes_or_all)]
    pub memory_swap: Option<i64>,
    #[arg(long, value_name = "0-100", value_parser = value::int)]
    pub memory_swappiness: Option<i64>,
    #[arg(long, value_name = "NUMBER", value_parser = value::cpus)]
    pub cpus: Option<i64>,
    #[arg(long, short = 'c', value_name = "WEIGHT", value_parser = value::int)]
    pub cpu_shares: Option<i64>,
    #[arg(long, value_name = "MICROSECONDS", value_parser = value::int)]
    pub cpu_period: Option<i64>,
    #[arg(long, value_name = "MICROSECONDS", value_parser = value::int)]
    pub cpu_quota: Option<i64>,
    #[arg(long, value_name = "MICROSECONDS", value_parser = value::int)]
    pub cpu_rt_period: Option<i64>,
    #[arg(long, value_name = "MICROSECONDS", value_parser = value::int)]
    pub cpu_rt_runtime: Option<i64>,
    #[arg(long, value_name = "0-3,5")]
    pub cpuset_cpus: Option<String>,
    #[arg(long, value_name = "0-1")]
    pub cpuset_mems: Option<String>,
    #[arg(long, value_name = "COUNT", value_parser = value::int)]
    pub pids_limit: Option<i64>,
    #[arg(long, value_name = "WEIGHT", value_parser = value::short)]
    pub blkio_weight: Option<u16>,
    #[arg(long, value_name = "DEVICE:WEIGHT", value_parser = value::weight)]
    pub blkio_weight_device: Vec<Throttle>,
    #[arg(long, value_name = "DEVICE:BYTES", value_parser = value::bytes_a_second)]
    pub device_read_bps: Vec<Throttle>,
    #[arg(long, value_name = "DEVICE:BYTES", value_parser = value::bytes_a_second)]
    pub device_write_bps: Vec<Throttle>,
    #[arg(long, value_name = "DEVICE:COUNT", value_parser = value::operations_a_second)]
    pub device_read_iops: Vec<Throttle>,
    #[arg(long, value_name = "DEVICE:COUNT", value_parser = value::operations_a_second)]
    pub device_write_iops: Vec<Throttle>,
    #[arg(long, value_name = "BYTES", value_parser = value::bytes)]
    pub shm_size: Option<i64>,
    #[arg(long, value_name = "GROUP")]
    pub cgroup_parent: Option<String>,
}

impl Limits {
    /// Writes itself into the request; what was not asked for is as Docker's client sends it.
    ///
    /// # Errors
    /// Docker's words.
    pub fn fill(&self, host: &mut HostConfig) -> Result<(), String> {
        let swappiness = self.memory_swappiness.unwrap_or(-1);
        if !(-1..=100).contains(&swappiness) {
            return Err(format!("invalid value: {swappiness}. Valid memory swappiness range is 0-100"));
        }
        host.memory = self.memory.unwrap_or(0);
        host.memory_reservation = self.memory_reservation.unwrap_or(0);
        host.memory_swap = self.memory_swap.unwrap_or(0);
        host.memory_swappiness = Some(swappiness);
        host.nano_cpus = self.cpus.unwrap_or(0);
        host.cpu_shares = self.cpu_shares.unwrap_or(0);
        host.cpu_period = self.cpu_period.unwrap_or(0);
        host.cpu_quota = self.cpu_quota.unwrap_or(0);
        host.cpu_realtime_period = self.cpu_rt_period.unwrap_or(0);
        host.cpu_realtime_runtime = self.cpu_rt_runtime.unwrap_or(0);
        host.cpuset_cpus = self.cpuset_cpus.clone().unwrap_or_default();
        host.cpuset_mems = self.cpuset_mems.clone().unwrap_or_default();
        host.pids_limit = Some(self.pids_limit.unwrap_or(0));
        host.blkio_weight = self.blkio_weight.unwrap_or(0);
        host.blkio_weight_device = devices(&self.blkio_weight_device, "Weight");
        host.blkio_device_read_bps = devices(&self.device_read_bps, "Rate");
        host.blkio_device_write_bps = devices(&self.device_write_bps, "Rate");
        host.blkio_device_read_iops = devices(&self.device_read_iops, "Rate");
        host.blkio_device_write_iops = devices(&self.device_write_iops, "Rate");
        host.shm_size = self.shm_size.unwrap_or(0);
        host.cgroup_parent = self.cgroup_parent.clone().unwrap_or_default();
        Ok(())
    }
}

fn devices(given: &[Throttle], what: &str) -> Option<Vec<Value>> {
    let device = |one: &Throttle| json!({ "Path": one.path, what: one.rate });
    (!given.is_empty()).then(|| given.iter().map(device).collect())
}
