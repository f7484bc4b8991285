//! The tables, as tables: what is asked for, and what is written where.

use super::*;
use crate::error::{Classify, Kind};
use crate::kernel::machine::Cpuset;
use crate::runtime::guard::paths;
use serde_json::{Value, json};

fn machine(uid: u32, v1: &[&str], v2: &[&str]) -> Machine {
    let v1 = v1.iter().map(|name| ((*name).to_owned(), format!("/cg/{name}"))).collect();
    let controllers = v2.iter().map(|name| (*name).to_owned()).collect();
    let v2 = (!v2.is_empty()).then(|| CgroupV2 { mount: "/cg2".into(), controllers, writable: true });
    let cpuset = Some(Cpuset { cpus: "0-1".into(), mems: "0".into() });
    let cgroups = Cgroups { v1, v2, cpuset };
    Machine { uid, gid: uid, cgroups, overlay: true, kernel: "6.18.0".into(), architecture: "amd64".into() }
}

const V1: [&str; 9] =
    ["blkio", "cpu", "cpuset", "devices", "hugetlb", "memory", "net_cls", "net_prio", "pids"];
const V2: [&str; 7] = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids", "rdma"];

fn plan(machine: &Machine, resources: &Value) -> Result<Groups, Refused> {
    let resources: LinuxResources = serde_json::from_value(resources.clone()).unwrap();
    Groups::plan(machine, "/learn/abc", Some(&resources))
}

/// The limits written, as `file=value` below the container's groups; what makes the groups and
/// guards the devices is left out.
fn written(machine: &Machine, resources: &Value) -> Vec<String> {
    let bare = plan(machine, &json!({})).unwrap().setup;
    let groups = plan(machine, resources).unwrap_or_else(|refused| panic!("{refused}"));
    let new = groups.setup.iter().filter(|op| !bare.contains(op));
    new.map(|op| match op {
        Op::Fs(FsOp::WriteFile { path, value, .. }) => {
            format!("{}={value}", path.split("/learn/abc/").last().unwrap())
        }
        other => panic!("{other:?}"),
    })
    .collect()
}

#[test]
fn each_limit_has_its_files_in_both_versions() {
    let rates = json!([{"major": 8, "minor": 0, "rate": 1048576}]);
    let table: [(Value, &[&str], &[&str]); 20] = [
        (
            json!({"memory": {"limit": 67108864}}),
            &["memory.limit_in_bytes=67108864"],
            &["memory.max=67108864"],
        ),
        (json!({"memory": {"reservation": 100}}), &["memory.soft_limit_in_bytes=100"], &["memory.low=100"]),
        // The sum is lifted before the part is set, and set after it: raising and lowering.
        (
            json!({"memory": {"swap": 300, "limit": 100}}),
            &[
                "memory.memsw.limit_in_bytes=-1",
                "memory.limit_in_bytes=100",
                "memory.memsw.limit_in_bytes=300",
            ],
            &["memory.max=100", "memory.swap.max=200"],
        ),
        (
            json!({"memory": {"swap": -1, "limit": 100}}),
            &[
                "memory.memsw.limit_in_bytes=-1",
                "memory.limit_in_bytes=100",
                "memory.memsw.limit_in_bytes=-1",
            ],
            &["memory.max=100", "memory.swap.max=max"],
        ),
        (json!({"memory": {"limit": 0}, "cpu": {"shares": 0, "cpus": ""}}), &[], &[]),
        (json!({"cpu": {"shares": 1024}}), &["cpu.shares=1024"], &["cpu.weight=39"]),
        (
            json!({"cpu": {"quota": 150000, "period": 50000}}),
            &["cpu.cfs_period_us=50000", "cpu.cfs_quota_us=150000"],
            &["cpu.max=150000 50000"],
        ),
        (json!({"cpu": {"quota": -1}}), &["cpu.cfs_quota_us=-1"], &["cpu.max=max 100000"]),
        (json!({"cpu": {"burst": 20}}), &["cpu.cfs_burst_us=20"], &["cpu.max.burst=20"]),
        (json!({"cpu": {"idle": 1}}), &["cpu.idle=1"], &["cpu.idle=1"]),
        (
            json!({"cpu": {"cpus": "1", "mems": "1"}}),
            &["cpuset.cpus=1", "cpuset.mems=1"],
            &["cpuset.cpus=1", "cpuset.mems=1"],
        ),
        (json!({"pids": {"limit": 64}}), &["pids.max=64"], &["pids.max=64"]),
        (json!({"pids": {"limit": -1}}), &["pids.max=max"], &["pids.max=max"]),
        (json!({"blockIO": {"weight": 10}}), &["blkio.weight=10"], &["io.weight=1"]),
        (
            json!({"blockIO": {"weightDevice": [{"major": 8, "minor": 0, "weight": 1000}]}}),
            &["blkio.weight_device=8:0 1000"],
            &["io.weight=8:0 10000"],
        ),
        (
            json!({"blockIO": {"throttleReadBpsDevice": rates}}),
            &["blkio.throttle.read_bps_device=8:0 1048576"],
            &["io.max=8:0 rbps=1048576"],
        ),
        (
            json!({"blockIO": {"throttleWriteBpsDevice": rates}}),
            &["blkio.throttle.write_bps_device=8:0 1048576"],
            &["io.max=8:0 wbps=1048576"],
        ),
        (
            json!({"blockIO": {"throttleReadIOPSDevice": rates}}),
            &["blkio.throttle.read_iops_device=8:0 1048576"],
            &["io.max=8:0 riops=1048576"],
        ),
        (
            json!({"blockIO": {"throttleWriteIOPSDevice": rates}}),
            &["blkio.throttle.write_iops_device=8:0 1048576"],
            &["io.max=8:0 wiops=1048576"],
        ),
        (
            json!({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}),
            &["hugetlb.2MB.limit_in_bytes=4194304"],
            &["hugetlb.2MB.max=4194304"],
        ),
    ];
    let (v1, v2) = (machine(0, &V1, &[]), machine(0, &[], &V2));
    for (resources, in_v1, in_v2) in table {
        assert_eq!(written(&v1, &resources), in_v1, "{resources} in v1");
        assert_eq!(written(&v2, &resources), in_v2, "{resources} in v2");
    }
}

#[test]
fn what_only_one_version_has_is_refused_by_name_in_the_other() {
    let only_v1 = [
        (
            json!({"memory": {"swappiness": 10}}),
            "memory.swappiness=10",
            "memory.swappiness (--memory-swappiness)",
        ),
        (
            json!({"memory": {"disableOOMKiller": true}}),
            "memory.oom_control=1",
            "memory.disableOOMKiller (--oom-kill-disable)",
        ),
        (json!({"memory": {"kernelTCP": 5}}), "memory.kmem.tcp.limit_in_bytes=5", "memory.kernelTCP"),
        (
            json!({"cpu": {"realtimeRuntime": 5}}),
            "cpu.rt_runtime_us=5",
            "cpu.realtimeRuntime (--cpu-rt-runtime, --cpu-rt-period)",
        ),
    ];
    let (v1, v2) = (machine(0, &V1, &[]), machine(0, &[], &V2));
    for (resources, line, name) in only_v1 {
        assert_eq!(written(&v1, &resources), [line]);
        let refused = plan(&v2, &resources).unwrap_err();
        assert_eq!(refused.to_string(), format!("linux.resources.{name} does not exist in cgroup v2"));
        assert_eq!(refused.kind(), Kind::Invalid);
    }
    let unified = json!({"unified": {"memory.high": "5", "cgroup.max.depth": "1"}});
    assert_eq!(written(&v2, &unified), ["cgroup.max.depth=1", "memory.high=5"]);
    let way_out = json!({"unified": {"memory.x/../../y": "5"}});
    assert!(matches!(plan(&v2, &way_out), Err(Refused::NoSuchFile { .. })));
    let refused = plan(&v1, &unified).unwrap_err().to_string();
    assert_eq!(refused, "linux.resources.unified does not exist in cgroup v1");
}

#[test]
fn a_limit_without_its_controller_is_refused_by_name() {
    let table = [
        (json!({"memory": {"limit": 7}}), "memory.limit (--memory) needs the memory"),
        (json!({"pids": {"limit": 7}}), "pids.limit (--pids-limit) needs the pids"),
        (json!({"cpu": {"cpus": "0"}}), "cpu.cpus (--cpuset-cpus) needs the cpuset"),
        (json!({"cpu": {"quota": 7}}), "cpu.quota (--cpus, --cpu-quota, --cpu-period) needs the cpu"),
        (json!({"blockIO": {"weight": 10}}), "blockIO.weight (--blkio-weight) needs the blkio"),
    ];
    for (resources, words) in table {
        let error = plan(&machine(0, &["devices"], &[]), &resources).unwrap_err();
        let expected =
            format!("linux.resources.{words} controller, which this machine's cgroups (v1) do not have");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), Kind::Denied);
        let error = plan(&machine(1000, &V1, &[]), &resources).unwrap_err();
        let expected = format!("linux.resources.{words} controller, which is not delegated to user 1000");
        assert_eq!(error.to_string(), expected);
    }
    for free in [json!({"memory": {"limit": -1}}), json!({"pids": {"limit": -1}}), json!({})] {
        assert!(plan(&machine(0, &["devices"], &[]), &free).is_ok(), "{free} limits nothing");
        assert_eq!(plan(&machine(1000, &V1, &[]), &free), Ok(Groups::default()));
    }
    let io = plan(&machine(0, &[], &["cpu"]), &json!({"blockIO": {"weight": 10}})).unwrap_err();
    assert!(io.to_string().contains("needs the io controller"), "{io}");
}

#[test]
fn a_hybrid_machine_writes_each_limit_where_its_controller_is() {
    let hybrid = machine(0, &["memory", "devices"], &["pids"]);
    let groups = plan(&hybrid, &json!({"memory": {"limit": 7}, "pids": {"limit": 3}})).unwrap();
    let lines: Vec<String> = groups.setup.iter().map(Op::shell).collect();
    let expected =
        ["echo 7 > /cg/memory/learn/abc/memory.limit_in_bytes", "echo 3 > /cg2/learn/abc/pids.max"];
    for line in expected {
        assert!(lines.iter().any(|known| known == line), "{line} in {lines:#?}");
    }
    assert_eq!(groups.device_filter, None, "v1 guards the devices");
}

/// The v1 device lines of rules given as JSON, or the reason there are none.
fn device_lines(rules: &Value) -> Result<Vec<(String, String)>, String> {
    let resources: LinuxResources = serde_json::from_value(json!({"devices": rules})).unwrap();
    let lines = devices::rules(&resources).and_then(|rules| devices::v1_lines(&rules));
    lines.map_err(|refused| refused.to_string())
}

#[test]
fn devices_are_denied_unless_allowed_and_rules_keep_their_order() {
    let docker = serde_json::to_value(paths::device_rules()).unwrap();
    let lines = device_lines(&docker).unwrap();
    assert_eq!(lines[0], ("devices.deny".into(), "a".into()));
    assert_eq!(lines.len(), 2, "fuse was never allowed, so it need not be denied: {lines:?}");
    assert_eq!(lines[1].0, "devices.allow");
    assert!(lines[1].1.lines().any(|line| line == "c 1:3 rwm"));
    assert_eq!(lines[1].1.lines().filter(|line| *line == "c 1:3 rwm").count(), 1);
    assert_eq!(device_lines(&json!([])).unwrap()[0], ("devices.deny".into(), "a".into()));

    let disk = json!([
        {"allow": true},
        {"allow": false, "type": "b", "major": 8, "minor": 0, "access": "w"}
    ]);
    let expected = [("devices.allow", "a"), ("devices.deny", "b 8:0 w")];
    assert_eq!(device_lines(&disk).unwrap(), expected.map(|(file, line)| (file.into(), line.into())));

    let taken_back = json!([
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"},
        {"allow": false, "type": "c", "major": 10, "access": "w"}
    ]);
    let lines = device_lines(&taken_back).unwrap();
    assert_eq!(
        lines[1..3],
        [("devices.allow".into(), "c 10:229 rwm".into()), ("devices.deny".into(), "c 10:229 w".into())]
    );
}

#[test]
fn device_rules_that_cannot_be_kept_are_refused() {
    let hole = json!([
        {"allow": true, "type": "b", "major": 8, "access": "rw"},
        {"allow": false, "type": "b", "major": 8, "minor": 0, "access": "w"}
    ]);
    assert_eq!(
        device_lines(&hole).unwrap_err(),
        "linux.resources.devices: rule \"deny b 8:0 w\": cgroup v1 cannot take one device back out of a range"
    );
    let letters = json!([{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rx"}]);
    assert!(device_lines(&letters).unwrap_err().contains("\"allow c 1:3 rx\": access is made of"));
    let pipe = json!([{"allow": true, "type": "p"}]);
    assert!(device_lines(&pipe).unwrap_err().contains("a pipe is no device"));
}

#[test]
fn a_machine_that_cannot_guard_devices_is_refused_unless_all_are_allowed() {
    let rules = |rules| json!({"devices": serde_json::to_value(rules).unwrap()});
    let bare = machine(0, &["memory"], &[]);
    let refused = plan(&bare, &rules(paths::device_rules())).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "linux.resources.devices needs the devices controller, which this machine's cgroups (v1) do not have"
    );
    assert!(plan(&bare, &rules(paths::privileged_device_rules())).is_ok());
    assert!(plan(&machine(1000, &[], &[]), &rules(paths::device_rules())).is_ok(), "no privilege, no nodes");
}

#[test]
fn v2_guards_devices_by_a_program_whose_rules_can_be_read() {
    let groups =
        plan(&machine(0, &[], &V2), &json!({"devices": [{"allow": false, "access": "rwm"}]})).unwrap();
    let filter = groups.device_filter.expect("v2 has no file for it");
    let Op::Cgroup(CgroupOp::AttachDeviceFilter { path, rules, instructions }) = &filter.op else { panic!() };
    assert_eq!((path.as_str(), *instructions), ("/cg2/learn/abc", filter.program.len()));
    assert_eq!(rules[..3], ["deny a *:* rwm", "allow c *:* m", "allow b *:* m"]);
    assert!(rules.contains(&"allow c 1:3 rwm".to_owned()), "{rules:?}");
}
