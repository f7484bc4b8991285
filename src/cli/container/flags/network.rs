//! Flags about the network: which to join, names and addresses there, and ports of the host.

use super::attachment::{Attachment, attachment, is_user_defined};
use super::{publish, value};
use crate::wire::{CreateRequest, EndpointSettings};
use clap::Args;

#[derive(Debug, Default, Args)]
pub struct Network {
    #[arg(long, visible_alias = "net", value_name = "NETWORK", value_parser = attachment)]
    pub network: Vec<Attachment>,
    #[arg(long, alias = "net-alias", value_name = "NAME")]
    pub network_alias: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub ip6: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub link_local_ip: Vec<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub mac_address: Option<String>,
    #[arg(long, value_name = "NAME[:ALIAS]", value_parser = value::link)]
    pub link: Vec<String>,
    #[arg(long, short = 'p', value_name = "[IP:][HOST:]PORT")]
    pub publish: Vec<String>,
    #[arg(long, short = 'P')]
    pub publish_all: bool,
    #[arg(long, value_name = "PORT")]
    pub expose: Vec<String>,
    #[arg(long, value_name = "NAME:ADDRESS", value_parser = value::extra_host)]
    pub add_host: Vec<String>,
    #[arg(long, value_name = "ADDRESS", value_parser = value::ip)]
    pub dns: Vec<String>,
    #[arg(long, alias = "dns-opt", value_name = "OPTION")]
    pub dns_option: Vec<String>,
    #[arg(long, value_name = "DOMAIN", value_parser = value::search_domain)]
    pub dns_search: Vec<String>,
}

impl Network {
    /// Writes itself into the request.
    ///
    /// # Errors
    /// Docker's words.
    pub fn fill(&self, request: &mut CreateRequest) -> Result<(), String> {
        if let Some(mac) = self.mac_address.as_ref().filter(|mac| !value::is_mac(mac)) {
            return Err(format!("{mac} is not a valid mac address"));
        }
        let (ports, bindings) = publish::ports(&self.publish, &self.expose)?;
        request.config.exposed_ports = ports;
        let host = &mut request.host_config;
        host.port_bindings = bindings;
        host.publish_all_ports = self.publish_all;
        host.dns = self.dns.clone();
        host.dns_options = self.dns_option.clone();
        host.dns_search = self.dns_search.clone();
        host.extra_hosts = (!self.add_host.is_empty()).then(|| self.add_host.clone());
        host.links = (!self.link.is_empty()).then(|| self.link.clone());
        let mode = self.network.first().map_or("default", |network| &network.target);
        host.network_mode = mode.to_owned();
        self.endpoints(request)?;
        // Older daemons look for the address here.
        let mode = if request.host_config.network_mode == "default" { "default" } else { mode };
        let endpoints = &request.networking_config.endpoints_config;
        let mac = endpoints.get(mode).and_then(Option::as_ref).map(|place| place.mac_address.clone());
        request.config.mac_address = mac.or_else(|| self.mac_address.clone()).filter(|mac| !mac.is_empty());
        Ok(())
    }

    fn endpoints(&self, request: &mut CreateRequest) -> Result<(), String> {
        let endpoints = &mut request.networking_config.endpoints_config;
        if self.network.is_empty() {
            let mut own = Attachment { target: "default".to_owned(), ..Attachment::default() };
            self.apply(&mut own)?;
            endpoints.insert("default".to_owned(), Some(own.settings()?));
            return Ok(());
        }
        for (place, network) in self.network.iter().enumerate() {
            let mut network = network.clone();
            if place == 0 {
                self.apply(&mut network)?;
            }
            let target = network.target.clone();
            let settings = network.settings()?;
            if endpoints.contains_key(&target) {
                return Err(format!("network {target:?} is specified multiple times"));
            }
            if self.network.len() == 1 && settings == EndpointSettings::default() {
                continue;
            }
            endpoints.insert(target, Some(settings));
        }
        let users = self.network.iter().filter(|network| is_user_defined(&network.target)).count();
        if users > 0 && users < self.network.len() {
            let what = "cannot attach both user-defined and non-user-defined network-modes";
            return Err(format!("conflicting options: {what}"));
        }
        Ok(())
    }

    /// The older flags belong to the first network.
    fn apply(&self, first: &mut Attachment) -> Result<(), String> {
        let given = |option: &Option<String>| option.as_ref().is_some_and(|text| !text.is_empty());
        let conflicts = [
            (!first.aliases.is_empty() && !self.network_alias.is_empty(), "--network-alias", "alias"),
            (!first.ipv4.is_empty() && given(&self.ip), "--ip", "IPv4 address"),
            (!first.ipv6.is_empty() && given(&self.ip6), "--ip6", "IPv6 address"),
            (!first.mac.is_empty() && given(&self.mac_address), "--mac-address", "MAC address"),
            (
                !first.link_local.is_empty() && !self.link_local_ip.is_empty(),
                "--link-local-ip",
                "link-local IP addresses",
            ),
        ];
        if let Some((_, flag, what)) = conflicts.iter().find(|(conflict, ..)| *conflict) {
            return Err(format!("conflicting options: cannot specify both {flag} and per-network {what}"));
        }
        first.aliases.extend(self.network_alias.iter().cloned());
        first.link_local.extend(self.link_local_ip.iter().cloned());
        if is_user_defined(&first.target) {
            first.links.extend(self.link.iter().cloned());
        }
        let over = |place: &mut String, option: &Option<String>| {
            if let Some(text) = option.as_ref().filter(|text| !text.is_empty()) {
                place.clone_from(text);
            }
        };
        over(&mut first.ipv4, &self.ip);
        over(&mut first.ipv6, &self.ip6);
        over(&mut first.mac, &self.mac_address);
        Ok(())
    }
}
