//! What the resolver of a container says: addresses of the other containers by their names, names
//! by their addresses. RFC 1035 by simple-dns.

use simple_dns::rdata::{A, PTR, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use std::net::Ipv4Addr;

/// Seconds an answer may be kept, as Docker's resolver says.
const TTL: u32 = 600;

/// One container, as the others know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Names it answers to.
    pub names: Vec<String>,
    /// The network's name: `web.front` is `web` in `front`.
    pub network: String,
    /// Its address there.
    pub address: Ipv4Addr,
}

/// The answer to a query, or nothing when somebody else must be asked. `order` turns the answers,
/// so that each of several containers of a name is the first at times.
pub fn answer(query: &[u8], known: &[Known], order: usize) -> Option<Vec<u8>> {
    let packet = Packet::parse(query).ok()?;
    let question = packet.questions.first()?;
    let asked = question.qname.to_string().trim_end_matches('.').to_ascii_lowercase();
    let mut reply = reply_to(&packet);
    if let Some(address) = reverse(&asked) {
        let named = known.iter().find(|one| one.address == address)?;
        let name = format!("{}.{}", named.names.first()?, named.network);
        let pointer = RData::PTR(PTR(Name::new(&name).ok()?.into_owned()));
        reply.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL, pointer));
        return reply.build_bytes_vec_compressed().ok();
    }
    let is_called = |one: &&Known| {
        one.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            name == asked || format!("{name}.{}", one.network.to_ascii_lowercase()) == asked
        })
    };
    let mut addresses: Vec<Ipv4Addr> = known.iter().filter(is_called).map(|one| one.address).collect();
    if addresses.is_empty() {
        return None;
    }
    let turn = order % addresses.len();
    addresses.rotate_left(turn);
    // A name that is known has no address of another kind: an answer without answers.
    if matches!(question.qtype, QTYPE::TYPE(TYPE::A) | QTYPE::ANY) {
        for address in addresses {
            let data = RData::A(A { address: address.into() });
            reply.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL, data));
        }
    }
    reply.build_bytes_vec_compressed().ok()
}

/// A reply without answers. It repeats the question and nothing else.
fn reply_to<'a>(query: &Packet<'a>) -> Packet<'a> {
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::RECURSION_AVAILABLE | PacketFlag::RECURSION_DESIRED);
    reply.questions.extend(query.questions.first().cloned());
    reply
}

/// The answer when nobody could be asked.
pub fn failure(query: &[u8]) -> Option<Vec<u8>> {
    let packet = Packet::parse(query).ok()?;
    let mut reply = reply_to(&packet);
    *reply.rcode_mut() = RCODE::ServerFailure;
    reply.build_bytes_vec_compressed().ok()
}

/// `2.0.18.172.in-addr.arpa`.
fn reverse(name: &str) -> Option<Ipv4Addr> {
    let octets: Vec<u8> = name
        .strip_suffix(".in-addr.arpa")?
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let [d, c, b, a] = octets[..] else { return None };
    Some(Ipv4Addr::new(a, b, c, d))
}

/// Name servers of a resolv.conf(5).
pub fn resolvers(text: &str) -> Vec<std::net::IpAddr> {
    let server = |line: &str| line.trim().strip_prefix("nameserver")?.trim().parse().ok();
    text.lines().filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::{QCLASS, Question};

    fn query(name: &str, kind: TYPE) -> Vec<u8> {
        let mut packet = Packet::new_query(7);
        let name = Name::new_unchecked(name).into_owned();
        packet.questions.push(Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
        packet.build_bytes_vec().unwrap()
    }

    fn web(last: u8) -> Known {
        Known {
            names: vec!["web".into(), "alias".into()],
            network: "front".into(),
            address: Ipv4Addr::new(172, 18, 0, last),
        }
    }

    fn addresses(reply: &[u8]) -> Vec<Ipv4Addr> {
        let packet = Packet::parse(reply).unwrap();
        let address = |record: &ResourceRecord| match &record.rdata {
            RData::A(a) => Some(Ipv4Addr::from(a.address)),
            _ => None,
        };
        packet.answers.iter().filter_map(address).collect()
    }

    #[test]
    fn a_container_is_found_by_name_alias_and_network() {
        for name in ["web", "WEB", "alias", "web.front"] {
            let reply = answer(&query(name, TYPE::A), &[web(2)], 0).unwrap();
            assert_eq!(addresses(&reply), [Ipv4Addr::new(172, 18, 0, 2)], "{name}");
            let packet = Packet::parse(&reply).unwrap();
            assert_eq!((packet.id(), packet.questions.len()), (7, 1));
        }
        assert!(answer(&query("example.com", TYPE::A), &[web(2)], 0).is_none(), "somebody else is asked");
    }

    #[test]
    fn containers_of_one_name_take_turns() {
        let known = [web(2), web(3)];
        let first = |order| addresses(&answer(&query("web", TYPE::A), &known, order).unwrap())[0];
        assert_ne!(first(0), first(1));
        assert_eq!(first(0), first(2));
    }

    #[test]
    fn a_known_name_has_no_address_of_ipv6_and_an_address_has_a_name() {
        let reply = answer(&query("web", TYPE::AAAA), &[web(2)], 0).unwrap();
        let packet = Packet::parse(&reply).unwrap();
        assert_eq!((packet.answers.len(), packet.rcode()), (0, RCODE::NoError));
        let reply = answer(&query("2.0.18.172.in-addr.arpa", TYPE::PTR), &[web(2)], 0).unwrap();
        let packet = Packet::parse(&reply).unwrap();
        assert!(matches!(&packet.answers[0].rdata, RData::PTR(name) if name.0.to_string() == "web.front"));
    }

    #[test]
    fn a_failure_says_so() {
        let reply = failure(&query("example.com", TYPE::A)).unwrap();
        assert_eq!(Packet::parse(&reply).unwrap().rcode(), RCODE::ServerFailure);
        assert_eq!(
            resolvers("search x\nnameserver 10.0.0.1\n"),
            ["10.0.0.1".parse::<std::net::IpAddr>().unwrap()]
        );
    }
}
