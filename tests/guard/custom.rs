//! Profiles of `--security-opt seccomp=FILE`.

use learn::runtime::guard::abi::Machine;
use learn::runtime::guard::capability;
use learn::runtime::guard::custom::{Subject, parse};
use learn::runtime::guard::filter::compile_for;
use oci_spec::runtime::{Arch, Capabilities, Capability, LinuxSeccomp, LinuxSeccompOperator};

use super::machine::{ALLOW, ENOSYS, EPERM, X86_64, verdict};

fn read(json: &str, capabilities: &Capabilities) -> Result<Option<LinuxSeccomp>, String> {
    let subject = Subject { capabilities, kernel: (6, 1), machine: Some(Machine::X86_64) };
    parse("strict.json", json, subject).map_err(|error| error.to_string())
}

fn names(json: &str, capabilities: &[Capability]) -> Vec<String> {
    let profile = read(json, &capabilities.iter().copied().collect()).unwrap().unwrap();
    profile.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect()
}

fn error(json: &str) -> String {
    read(json, &capability::DEFAULT.into()).unwrap_err()
}

const CONDITIONAL: &str = r#"{
    "defaultAction": "SCMP_ACT_ERRNO",
    "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "comment": "", "includes": {}, "excludes": null},
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"]}},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
        {"names": ["set_tls"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm", "arm64"]}},
        {"names": ["time"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["s390x"]}},
        {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.1"}},
        {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "6.2"}},
        {"names": ["kcmp"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}},
        {"name": "write", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_OF_THE_FUTURE"]}},
        {"name": "getpid", "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_OF_THE_FUTURE"]}}
    ]
}"#;

#[test]
fn conditions_choose_the_rules() {
    assert_eq!(names(CONDITIONAL, &[]), ["read", "clone", "arch_prctl", "time", "ptrace", "getpid"]);
    assert_eq!(
        names(CONDITIONAL, &[Capability::SysAdmin, Capability::Chown]),
        ["read", "mount", "arch_prctl", "time", "ptrace", "getpid"]
    );
}

#[test]
fn arch_map_gives_this_machine_its_abis_and_ignores_the_others() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [
            {"architecture": "SCMP_ARCH_NOT_INVENTED", "subArchitectures": null},
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}
        ],
        "syscalls": null
    }"#;
    let profile = read(json, &Capabilities::new()).unwrap().unwrap();
    let listed = profile.architectures().clone().unwrap();
    assert_eq!(listed, [Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32]);
}

#[test]
fn a_profile_compiles_to_what_it_asks_for() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "syscalls": [
            {"names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO"},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
                {"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}
            ]}
        ]
    }"#;
    let profile = read(json, &Capabilities::new()).unwrap().unwrap();
    assert_eq!(
        profile.syscalls().as_ref().unwrap()[2].args().as_ref().unwrap()[0].op(),
        LinuxSeccompOperator::ScmpCmpMaskedEq
    );
    let filter = compile_for(Machine::X86_64, &profile).unwrap();
    let call = |number, first| verdict(&filter, X86_64, number, [first, 0, 0, 0, 0, 0]);
    let (mkdir, clone, clone3, read) = (83, 56, 435, 0);
    assert_eq!([call(mkdir, 0), call(clone3, 0), call(read, 0)], [EPERM, ENOSYS, ALLOW]);
    assert_eq!([call(clone, 0x1000_0011), call(clone, 0x0001_0011)], [EPERM, ALLOW]);
}

#[test]
fn an_empty_profile_is_no_profile() {
    assert_eq!(read("{}", &Capabilities::new()), Ok(None));
    assert_eq!(read(r#"{"defaultAction": "", "syscalls": []}"#, &Capabilities::new()), Ok(None));
}

#[test]
fn errors_name_the_file_and_the_place() {
    assert!(error("{").starts_with("decoding seccomp profile strict.json failed: EOF"), "{}", error("{"));
    let json = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": "mkdir"}]}"#;
    assert!(error(json).ends_with("line 1 column 66"), "{}", error(json));

    let cases = [
        (
            r#"{"defaultAction": "ALLOW"}"#,
            r#"seccomp profile strict.json: defaultAction: "ALLOW" is not a known action"#,
        ),
        (
            r#"{"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW"}]}"#,
            r#"seccomp profile strict.json: defaultAction: "" is not a known action"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"]}]}"#,
            r#"seccomp profile strict.json: syscalls[0].action: "" is not a known action"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"name": "mkdir", "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_LIKE"}]}]}"#,
            r#"seccomp profile strict.json: syscalls[0].args[0].op: "SCMP_CMP_LIKE" is not a known operator"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86", "VAX"]}"#,
            r#"seccomp profile strict.json: architectures[1]: "VAX" is not a known architecture"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"name": "mkdir", "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "4.8.1"}}]}"#,
            r#"seccomp profile strict.json: syscalls[0].includes.minKernel: "4.8.1" is not a known kernel version (<kernel>.<major>)"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_FAST"]}"#,
            r#"seccomp profile strict.json: flags[0]: "SECCOMP_FILTER_FLAG_FAST" is not a known flag"#,
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                {"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]}"#,
            "seccomp profile strict.json: syscalls[0]: both name and names are given, use one of them",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
                "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}"#,
            "seccomp profile strict.json: profile: both architectures and archMap are given, use one of them",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(error(json), expected);
    }
}
