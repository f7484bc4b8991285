//! Namespaces: what each kind holds, and inode numbers given out in order. namespaces(7),
//! user_namespaces(7).

use crate::op::Namespace;
use nix::errno::Errno;
use std::collections::BTreeMap;

/// Inode number of a namespace, as `/proc/<pid>/ns/*` shows it.
pub type NsId = u64;

/// The machine's first namespaces have fixed numbers: `include/linux/proc_ns.h`.
pub const FIRST: [(Namespace, NsId); 7] = [
    (Namespace::User, 4026531837),
    (Namespace::Mount, 4026531841),
    (Namespace::Pid, 4026531836),
    (Namespace::Network, 4026531840),
    (Namespace::Uts, 4026531838),
    (Namespace::Ipc, 4026531839),
    (Namespace::Cgroup, 4026531835),
];

/// Numbers given to namespaces made later count from here.
const FIRST_MADE: NsId = 4026532200;

/// Whose ids a user namespace knows.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// User id, on the host, of whoever made it.
    pub owner: u32,
    /// Lines of `uid_map`: inside, outside, count.
    pub uids: Vec<(u32, u32, u32)>,
    /// Lines of `gid_map`.
    pub gids: Vec<(u32, u32, u32)>,
    /// `setgroups` says `deny`.
    pub groups_denied: bool,
}

/// What the namespaces of all kinds hold.
#[derive(Clone, Debug)]
pub struct Namespaces {
    next: NsId,
    kinds: BTreeMap<NsId, Namespace>,
    /// Which user namespace governs a namespace.
    owners: BTreeMap<NsId, NsId>,
    users: BTreeMap<NsId, Users>,
    hostnames: BTreeMap<NsId, String>,
    /// Interfaces of a network namespace and whether they are up.
    interfaces: BTreeMap<NsId, BTreeMap<String, bool>>,
    /// For a pid namespace: the one around it and its last pid.
    pids: BTreeMap<NsId, (Option<NsId>, u32)>,
}

/// The first namespace of a kind.
pub fn first(kind: Namespace) -> NsId {
    FIRST
        .iter()
        .find(|(first, _)| *first == kind)
        .map(|(_, id)| *id)
        .expect("every kind has a first namespace")
}

impl Namespaces {
    /// A machine's first ones; `last_pid` is the number its last process had.
    pub fn new(hostname: &str, last_pid: u32) -> Namespaces {
        let everyone = vec![(0, 0, u32::MAX)];
        let users = Users { owner: 0, uids: everyone.clone(), gids: everyone, groups_denied: false };
        let links = BTreeMap::from([("lo".to_owned(), true), ("eth0".to_owned(), true)]);
        Namespaces {
            next: FIRST_MADE,
            kinds: FIRST.iter().map(|(kind, id)| (*id, *kind)).collect(),
            owners: FIRST.iter().map(|(_, id)| (*id, first(Namespace::User))).collect(),
            users: BTreeMap::from([(first(Namespace::User), users)]),
            hostnames: BTreeMap::from([(first(Namespace::Uts), hostname.to_owned())]),
            interfaces: BTreeMap::from([(first(Namespace::Network), links)]),
            pids: BTreeMap::from([(first(Namespace::Pid), (None, last_pid))]),
        }
    }

    /// Makes a namespace from the one the maker is in.
    pub fn make(&mut self, kind: Namespace, from: NsId, owner: NsId, maker: u32) -> NsId {
        let id = self.next;
        self.next += 1;
        self.kinds.insert(id, kind);
        self.owners.insert(id, owner);
        match kind {
            Namespace::User => {
                self.users.insert(id, Users { owner: maker, ..Users::default() });
            }
            Namespace::Uts => {
                let name = self.hostname(from).to_owned();
                self.hostnames.insert(id, name);
            }
            Namespace::Network => {
                self.interfaces.insert(id, BTreeMap::from([("lo".to_owned(), false)]));
            }
            Namespace::Pid => {
                self.pids.insert(id, (Some(from), 0));
            }
            Namespace::Mount | Namespace::Ipc | Namespace::Cgroup => {}
        }
        id
    }

    /// A namespace's kind, if there is such a namespace.
    pub fn kind(&self, id: NsId) -> Option<Namespace> {
        self.kinds.get(&id).copied()
    }

    /// The user namespace that governs it.
    pub fn owner(&self, id: NsId) -> NsId {
        self.owners.get(&id).copied().unwrap_or(first(Namespace::User))
    }

    /// A UTS namespace's name.
    pub fn hostname(&self, uts: NsId) -> &str {
        self.hostnames.get(&uts).map_or("", String::as_str)
    }

    /// sethostname(2), permissions apart.
    ///
    /// # Errors
    /// EINVAL for more than 64 bytes.
    pub fn set_hostname(&mut self, uts: NsId, name: &str) -> Result<(), Errno> {
        if name.len() > 64 {
            return Err(Errno::EINVAL);
        }
        self.hostnames.insert(uts, name.to_owned());
        Ok(())
    }

    /// Switches an interface on.
    ///
    /// # Errors
    /// ENODEV when there is none of the name.
    pub fn link_up(&mut self, network: NsId, interface: &str) -> Result<(), Errno> {
        let up = self.interfaces.get_mut(&network).and_then(|links| links.get_mut(interface));
        *up.ok_or(Errno::ENODEV)? = true;
        Ok(())
    }

    /// Whether there is an interface of the name.
    pub fn has_link(&self, network: NsId, interface: &str) -> bool {
        self.interfaces.get(&network).is_some_and(|links| links.contains_key(interface))
    }

    /// A new interface, switched off.
    ///
    /// # Errors
    /// EEXIST when there is one of the name.
    pub fn add_link(&mut self, network: NsId, interface: &str) -> Result<(), Errno> {
        if self.has_link(network, interface) {
            return Err(Errno::EEXIST);
        }
        self.interfaces.entry(network).or_default().insert(interface.to_owned(), false);
        Ok(())
    }

    /// Takes an interface away.
    pub fn remove_link(&mut self, network: NsId, interface: &str) {
        if let Some(links) = self.interfaces.get_mut(&network) {
            links.remove(interface);
        }
    }

    /// The next pid in a pid namespace and in all around it, innermost first.
    pub fn next_pids(&mut self, innermost: NsId) -> Vec<(NsId, u32)> {
        let mut pids = Vec::new();
        let mut at = Some(innermost);
        while let Some((id, (around, last))) = at.and_then(|id| self.pids.get_mut(&id).map(|pids| (id, pids)))
        {
            *last += 1;
            pids.push((id, *last));
            at = *around;
        }
        pids
    }

    /// The ids a user namespace knows.
    ///
    /// # Panics
    /// When the id is not a user namespace's.
    pub fn users(&self, id: NsId) -> &Users {
        self.users.get(&id).expect("user namespaces are never dropped")
    }

    /// The same, to change.
    ///
    /// # Panics
    /// When the id is not a user namespace's.
    pub fn users_mut(&mut self, id: NsId) -> &mut Users {
        self.users.get_mut(&id).expect("user namespaces are never dropped")
    }

    /// Whether a user of the host has a number in a user namespace.
    pub fn maps(&self, user: NsId, uid: u32) -> bool {
        inside(&self.users(user).uids, uid).is_some()
    }
}

/// The host's number for an id inside.
pub fn outside(map: &[(u32, u32, u32)], id: u32) -> Option<u32> {
    map.iter()
        .find(|(inside, _, count)| id >= *inside && id - inside < *count)
        .map(|line| line.1 + (id - line.0))
}

/// The number inside for one of the host's.
pub fn inside(map: &[(u32, u32, u32)], id: u32) -> Option<u32> {
    map.iter()
        .find(|(_, outside, count)| id >= *outside && id - outside < *count)
        .map(|line| line.0 + (id - line.1))
}
