//! The types Docker's client reads answers into, as a table: what a template may name, and what
//! a field is when the answer does not have it.
//!
//! One field is `Name type`, or `Name:Json type` where the two names differ; a `?` behind it says
//! that `json` leaves it out when it is empty. Types are `text`, `int`, `bool`, `any`, the name
//! of another line, and `[]T` (list), `{}T` (map) or `*T` (may be nil) of those. The source is
//! github.com/docker/docker/api/types of docker CLI 28.

/// Name of a type and its fields.
pub const TYPES: &[(&str, &str)] = &[
    (
        "Container",
        "ID:Id text, Created text, Path text, Args []text, State *State, Image text, ResolvConfPath text, \
         HostnamePath text, HostsPath text, LogPath text, Name text, RestartCount int, Driver text, \
         Platform text, MountLabel text, ProcessLabel text, AppArmorProfile text, ExecIDs []text, \
         HostConfig *HostConfig, GraphDriver GraphDriver, SizeRw *int?, SizeRootFs *int?, Mounts []Mount, \
         Config *Config, NetworkSettings *NetworkSettings, ImageManifestDescriptor *any?",
    ),
    (
        "State",
        "Status text, Running bool, Paused bool, Restarting bool, OOMKilled bool, Dead bool, Pid int, \
         ExitCode int, Error text, StartedAt text, FinishedAt text, Health *Health?",
    ),
    ("Health", "Status text, FailingStreak int, Log []*HealthResult"),
    ("HealthResult", "Start text, End text, ExitCode int, Output text"),
    (
        "HostConfig",
        "Binds []text, ContainerIDFile text, LogConfig LogConfig, NetworkMode text, \
         PortBindings {}[]PortBinding, RestartPolicy RestartPolicy, AutoRemove bool, VolumeDriver text, \
         VolumesFrom []text, ConsoleSize []int, Annotations {}text?, CapAdd []text, CapDrop []text, \
         CgroupnsMode text, DNS:Dns []text, DNSOptions:DnsOptions []text, DNSSearch:DnsSearch []text, \
         ExtraHosts []text, GroupAdd []text, IpcMode text, Cgroup text, Links []text, OomScoreAdj int, \
         PidMode text, Privileged bool, PublishAllPorts bool, ReadonlyRootfs bool, SecurityOpt []text, \
         StorageOpt {}text?, Tmpfs {}text?, UTSMode text, UsernsMode text, ShmSize int, Sysctls {}text?, \
         Runtime text?, Isolation text, CPUShares:CpuShares int, Memory int, NanoCPUs:NanoCpus int, \
         CgroupParent text, BlkioWeight int, BlkioWeightDevice []any, BlkioDeviceReadBps []any, \
         BlkioDeviceWriteBps []any, BlkioDeviceReadIOps []any, BlkioDeviceWriteIOps []any, \
         CPUPeriod:CpuPeriod int, CPUQuota:CpuQuota int, CPURealtimePeriod:CpuRealtimePeriod int, \
         CPURealtimeRuntime:CpuRealtimeRuntime int, CpusetCpus text, CpusetMems text, Devices []Device, \
         DeviceCgroupRules []text, DeviceRequests []any, KernelMemory int?, KernelMemoryTCP int?, \
         MemoryReservation int, MemorySwap int, MemorySwappiness *int, OomKillDisable *bool, \
         PidsLimit *int, Ulimits []*Ulimit, CPUCount:CpuCount int, CPUPercent:CpuPercent int, \
         IOMaximumIOps int, IOMaximumBandwidth int, Mounts []any?, MaskedPaths []text, \
         ReadonlyPaths []text, Init *bool?",
    ),
    ("LogConfig", "Type text, Config {}text"),
    ("PortBinding", "HostIP:HostIp text, HostPort text"),
    ("RestartPolicy", "Name text, MaximumRetryCount int"),
    ("Device", "PathOnHost text, PathInContainer text, CgroupPermissions text"),
    ("Ulimit", "Name text, Hard int, Soft int"),
    ("GraphDriver", "Data {}text, Name text"),
    (
        "Mount",
        "Type text?, Name text?, Source text, Destination text, Driver text?, Mode text, RW bool, \
         Propagation text",
    ),
    (
        "Config",
        "Hostname text, Domainname text, User text, AttachStdin bool, AttachStdout bool, \
         AttachStderr bool, ExposedPorts {}Nothing?, Tty bool, OpenStdin bool, StdinOnce bool, Env []text, \
         Cmd []text, Healthcheck *Healthcheck?, ArgsEscaped bool?, Image text, Volumes {}Nothing, \
         WorkingDir text, Entrypoint []text, NetworkDisabled bool?, MacAddress text?, OnBuild []text, \
         Labels {}text, StopSignal text?, StopTimeout *int?, Shell []text?",
    ),
    ("Nothing", ""),
    (
        "Healthcheck",
        "Test []text?, Interval int?, Timeout int?, StartPeriod int?, StartInterval int?, Retries int?",
    ),
    (
        "NetworkSettings",
        "Bridge text, SandboxID text, SandboxKey text, Ports {}[]PortBinding, HairpinMode bool, \
         LinkLocalIPv6Address text, LinkLocalIPv6PrefixLen int, SecondaryIPAddresses []any, \
         SecondaryIPv6Addresses []any, EndpointID text, Gateway text, GlobalIPv6Address text, \
         GlobalIPv6PrefixLen int, IPAddress text, IPPrefixLen int, IPv6Gateway text, MacAddress text, \
         Networks {}*Endpoint",
    ),
    (
        "Endpoint",
        "IPAMConfig *IPAMConfig, Links []text, Aliases []text, MacAddress text, DriverOpts {}text, \
         GwPriority int, NetworkID text, EndpointID text, Gateway text, IPAddress text, IPPrefixLen int, \
         IPv6Gateway text, GlobalIPv6Address text, GlobalIPv6PrefixLen int, DNSNames []text",
    ),
    ("IPAMConfig", "IPv4Address text?, IPv6Address text?, LinkLocalIPs []text?"),
    (
        "Image",
        "ID:Id text, RepoTags []text, RepoDigests []text, Parent text, Comment text, Created text?, \
         Container text?, ContainerConfig *Config?, DockerVersion text, Author text, Config *ImageConfig, \
         Architecture text, Variant text?, Os text, OsVersion text?, Size int, VirtualSize int?, \
         GraphDriver GraphDriver, RootFS RootFS, Metadata Metadata, Descriptor *any?, Manifests []any?",
    ),
    (
        "ImageConfig",
        "User text?, ExposedPorts {}Nothing?, Env []text?, Entrypoint []text?, Cmd []text?, \
         Volumes {}Nothing?, WorkingDir text?, Labels {}text?, StopSignal text?, ArgsEscaped bool?, \
         Healthcheck *Healthcheck?, OnBuild []text?, Shell []text?",
    ),
    ("RootFS", "Type text?, Layers []text?"),
    ("Metadata", "LastTagTime text?"),
];
