//! `--network`: a name, or `name=…,alias=…` with what belongs to the container's place in it.

use super::csv;
use super::value;
use crate::wire::EndpointSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A network to join and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Name or id.
    pub target: String,
    pub aliases: Vec<String>,
    pub links: Vec<String>,
    pub driver_opts: BTreeMap<String, String>,
    pub ipv4: String,
    pub ipv6: String,
    pub link_local: Vec<String>,
    pub mac: String,
    pub gateway_priority: i64,
}

/// Reads one `--network`.
///
/// # Errors
/// Docker's words for a field it does not know.
pub fn attachment(text: &str) -> Result<Attachment, String> {
    if !is_long(text) {
        return Ok(Attachment { target: text.to_owned(), ..Attachment::default() });
    }
    let mut asked = Attachment::default();
    for field in csv::fields(text)? {
        let field = field.to_lowercase();
        let Some((key, value)) = field.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!("invalid field {field}"));
        };
        let value = value.trim().to_owned();
        match key.trim() {
            "name" => asked.target = value,
            "alias" => asked.aliases.push(value),
            "ip" => asked.ipv4 = value,
            "ip6" => asked.ipv6 = value,
            "mac-address" => asked.mac = value,
            "link-local-ip" => asked.link_local.push(value),
            "driver-opt" => {
                let pair = value.split_once('=').filter(|(key, _)| !key.is_empty());
                let (key, value) =
                    pair.ok_or_else(|| "invalid key value pair format in driver options".to_owned())?;
                asked.driver_opts.insert(key.trim().to_owned(), value.trim().to_owned());
            }
            "gw-priority" => {
                let failed = |_| format!("invalid gw-priority ({value}): invalid syntax");
                asked.gateway_priority = value.parse().map_err(failed)?;
            }
            key => return Err(format!("invalid field key {key}")),
        }
    }
    match asked.target.is_empty() {
        true => Err("network name/id is not specified".to_owned()),
        false => Ok(asked),
    }
}

/// Whether a word, `=` and a word stand somewhere in it.
fn is_long(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.as_bytes().windows(3).any(|three| three[1] == b'=' && is_word(three[0]) && is_word(three[2]))
}

/// Whether a network is none of the engine's own modes.
pub fn is_user_defined(target: &str) -> bool {
    !matches!(target, "default" | "bridge" | "host" | "none") && !target.starts_with("container:")
}

impl Attachment {
    /// The container's place, as the request has it.
    ///
    /// # Errors
    /// What only a network of the user's can have.
    pub fn settings(self) -> Result<EndpointSettings, String> {
        if self.target.trim().is_empty() {
            return Err("no name set for network".to_owned());
        }
        if !is_user_defined(&self.target) && !self.aliases.is_empty() {
            return Err("network-scoped aliases are only supported for user-defined networks".to_owned());
        }
        if !is_user_defined(&self.target) && !self.links.is_empty() {
            return Err("links are only supported for user-defined networks".to_owned());
        }
        if !self.mac.is_empty() && !value::is_mac(&self.mac) {
            return Err(format!("{} is not a valid mac address", self.mac));
        }
        if self.gateway_priority != 0 {
            return Err("gw-priority is not supported by learn".to_owned());
        }
        let ipam_config = self.ipam();
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Ok(EndpointSettings {
            ipam_config,
            links: some(self.links),
            aliases: some(self.aliases),
            mac_address: self.mac,
            driver_opts: (!self.driver_opts.is_empty()).then_some(self.driver_opts),
            ..EndpointSettings::default()
        })
    }

    fn ipam(&self) -> Option<Value> {
        let mut config = Map::new();
        for (key, address) in [("IPv4Address", &self.ipv4), ("IPv6Address", &self.ipv6)] {
            if !address.is_empty() {
                config.insert(key.to_owned(), address.as_str().into());
            }
        }
        if !self.link_local.is_empty() {
            config.insert("LinkLocalIPs".to_owned(), self.link_local.clone().into());
        }
        (!config.is_empty()).then_some(Value::Object(config))
    }
}
