//! Rules in force: a function of the table, applied when it says something new.

use super::super::{Engine, Error};
use super::Table;
use crate::error::Kind;
use crate::kernel::TracedHost;
use crate::network::rules::{Bridged, Redirect, table};
use crate::op::NetworkOp;
use crate::trace::{Note, facts};

impl Engine {
    /// Makes the machine's rules follow the table. Without nft(8) there are none: what is
    /// published is carried by the proxy alone, and nothing inside reaches beyond this machine.
    pub(super) async fn apply_rules(&self, door: &TracedHost) -> Result<(), Error> {
        let mut known = self.networks.table.lock().await;
        let name = known.rules_table();
        let wanted = known.rules(&name);
        if wanted == known.rules {
            return Ok(());
        }
        let Some(rules) = wanted.clone() else {
            // Whoever is gone needs no rules now; they are removed with the last container.
            return Ok(());
        };
        match door.perform(NetworkOp::ReplaceRules { table: name, rules }).await {
            Ok(_) => known.rules = wanted,
            Err(error) if error.fault.kind == Kind::Unsupported => {
                door.note(Note::RulesAbsent, facts([("reason", &error.fault.message)]));
                known.rules = wanted;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl Table {
    /// The table is called like the default bridge, so that engines side by side have one each.
    pub(super) fn rules_table(&self) -> String {
        let default = self.networks.values().find(|network| network.name == "bridge");
        match default.map(|network| network.bridge.as_str()) {
            None | Some("" | "learn0") => "ip learn".into(),
            Some(bridge) => format!("ip {bridge}"),
        }
    }

    /// What the rules must say now; nothing when nobody is connected.
    fn rules(&self, name: &str) -> Option<String> {
        let in_use = |id: &str| self.endpoints(id).next().is_some();
        let bridged: Vec<Bridged> = self
            .networks
            .values()
            .filter(|network| in_use(&network.id))
            .filter_map(|network| {
                Some(Bridged {
                    bridge: network.bridge.clone(),
                    subnet: network.subnet?,
                    masquerades: network.masquerades(),
                    internal: network.internal,
                })
            })
            .collect();
        if bridged.is_empty() {
            return None;
        }
        Some(table(name, &bridged, &self.redirects()))
    }

    fn redirects(&self) -> Vec<Redirect> {
        let of = |member: &super::Member| {
            let first = member.endpoints.iter().find(|endpoint| endpoint.gateway.is_some());
            let to = first.map(|endpoint| endpoint.address.addr());
            let redirect = |port: &crate::network::Published| Some(Redirect { port: port.clone(), to: to? });
            member.published.iter().filter_map(redirect).collect::<Vec<_>>()
        };
        self.members.values().flat_map(of).collect()
    }
}
