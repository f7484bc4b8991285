//! Which subnet a network gets, and which address a container: the lowest that is free.
//! Docker's own pools, in Docker's order.

use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where subnets are taken from: the pool, and the length of the prefix each gets.
const POOLS: [(Ipv4Net, u8); 2] = [
    (Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12), 16),
    (Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16), 20),
];

/// Not among Docker's pools, though its neighbours are.
const LEFT_OUT: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 16);

/// Whether two subnets have an address in common.
pub fn overlap(one: &Ipv4Net, other: &Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// The first subnet that has no address in common with any in `taken`.
pub fn free_subnet(taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    let subnets = POOLS.iter().filter_map(|(pool, prefix)| pool.subnets(*prefix).ok()).flatten();
    subnets
        .filter(|subnet| *subnet != LEFT_OUT)
        .find(|subnet| taken.iter().all(|used| !overlap(used, subnet)))
}

/// Destinations of `/proc/net/route`, the default route left out: proc_pid_net(5).
pub fn routes(table: &str) -> Vec<Ipv4Net> {
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // The kernel prints addresses as numbers in the machine's own order.
        let address = Ipv4Addr::from(number(fields.get(1)?)?.to_ne_bytes());
        let mask = Ipv4Addr::from(number(fields.get(7)?)?.to_ne_bytes());
        Ipv4Net::with_netmask(address, mask).ok().filter(|net| net.prefix_len() > 0)
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// The lowest address of `range` that is nobody's; never the subnet's own or its broadcast.
pub fn free_address(subnet: &Ipv4Net, range: &Ipv4Net, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let (first, last) = (u32::from(range.network()), u32::from(range.broadcast()));
    let usable = |address: &Ipv4Addr| {
        *address != subnet.network() && *address != subnet.broadcast() && !taken.contains(address)
    };
    (first..=last).map(Ipv4Addr::from).find(usable)
}

/// The address of a subnet's bridge when none was asked for: the first.
pub fn first_address(subnet: &Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    #[test]
    fn the_machines_own_routes_are_avoided() {
        assert_eq!(free_subnet(&[]), Some(net("172.17.0.0/16")));
        assert_eq!(free_subnet(&[net("172.16.0.0/14")]), Some(net("172.20.0.0/16")));
        assert_eq!(free_subnet(&[net("172.16.0.0/12")]), Some(net("192.168.0.0/20")));
        assert_eq!(free_subnet(&[net("172.16.0.0/12"), net("192.168.0.0/16")]), None);
    }

    #[test]
    fn the_kernels_table_of_routes_is_read() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        if cfg!(target_endian = "little") {
            assert_eq!(routes(table), [net("172.17.0.0/16")]);
        }
        assert!(routes("").is_empty());
    }

    #[test]
    fn the_lowest_free_address_is_given() {
        let subnet = net("10.9.0.0/30");
        let mut taken = BTreeSet::from([Ipv4Addr::new(10, 9, 0, 1)]);
        let address = free_address(&subnet, &subnet, &taken).unwrap();
        assert_eq!(address, Ipv4Addr::new(10, 9, 0, 2));
        taken.insert(address);
        assert_eq!(free_address(&subnet, &subnet, &taken), None, "the broadcast is nobody's");
    }
}
