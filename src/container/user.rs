//! Who the program runs as: Docker's `USER`, looked up in the image's own passwd(5) and group(5).

use super::Error;

/// A resolved user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id inside.
    pub uid: u32,
    /// Group id inside.
    pub gid: u32,
    /// Supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// Home directory; `/` when the file knows none.
    pub home: String,
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: Vec<&'a str>,
}

/// Resolves `user[:group]` (names or numbers; empty is root). A numeric user or group need not be
/// in the files. `extra` are the groups of `--group-add`.
///
/// # Errors
/// [`Error::NoSuchUser`] and [`Error::NoSuchGroup`], in Docker's words.
pub fn resolve(wanted: &str, extra: &[String], passwd: &str, group: &str) -> Result<User, Error> {
    let (user, wanted_group) = wanted.split_once(':').unwrap_or((wanted, ""));
    let accounts: Vec<Account> = passwd.lines().filter_map(account).collect();
    let groups: Vec<Group> = group.lines().filter_map(parse_group).collect();
    let user = if user.is_empty() { "0" } else { user };
    // A name wins over a number: an account may be called 1000.
    let found = accounts
        .iter()
        .find(|account| account.name == user)
        .or_else(|| accounts.iter().find(|account| user.parse() == Ok(account.uid)));
    let uid = match found {
        Some(account) => account.uid,
        None => user.parse().map_err(|_| Error::NoSuchUser(user.to_owned()))?,
    };
    let gid = match wanted_group {
        "" => found.map_or(0, |account| account.gid),
        name => group_id(name, &groups)?,
    };
    let mut supplementary = Vec::new();
    if let (Some(account), "") = (found, wanted_group) {
        let member = |group: &&Group| group.members.contains(&account.name);
        supplementary.extend(groups.iter().filter(member).map(|group| group.gid));
    }
    for name in extra {
        supplementary.push(group_id(name, &groups)?);
    }
    supplementary.sort_unstable();
    supplementary.dedup();
    let home = found.map(|account| account.home).filter(|home| !home.is_empty()).unwrap_or("/");
    Ok(User { uid, gid, groups: supplementary, home: home.to_owned() })
}

fn group_id(wanted: &str, groups: &[Group]) -> Result<u32, Error> {
    match groups.iter().find(|group| group.name == wanted) {
        Some(group) => Ok(group.gid),
        None => wanted.parse().map_err(|_| Error::NoSuchGroup(wanted.to_owned())),
    }
}

/// `name:password:uid:gid:gecos:home:shell`; lines that are not are skipped, as getpwent(3) does.
fn account(line: &str) -> Option<Account<'_>> {
    let mut fields = line.trim().split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name, uid, gid, home: fields.nth(1).unwrap_or_default() })
}

/// `name:password:gid:member,member`.
fn parse_group(line: &str) -> Option<Group<'_>> {
    let mut fields = line.trim().split(':');
    let name = fields.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
    let gid = fields.nth(1)?.parse().ok()?;
    Some(Group { name, gid, members: fields.next().unwrap_or_default().split(',').collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nguest:x:405:100:guest:/dev/null:/sbin/nologin\nbroken\n";
    const GROUP: &str = "root:x:0:root\nwheel:x:10:root,guest\nusers:x:100:games\n";

    fn user(wanted: &str) -> Result<User, Error> {
        resolve(wanted, &[], PASSWD, GROUP)
    }

    #[test]
    fn nobody_asked_for_is_root_with_its_groups_and_home() {
        let root = User { uid: 0, gid: 0, groups: vec![0, 10], home: "/root".into() };
        assert_eq!(user(""), Ok(root));
    }

    #[test]
    fn a_name_is_looked_up_and_a_number_need_not_be_there() {
        let guest = User { uid: 405, gid: 100, groups: vec![10], home: "/dev/null".into() };
        assert_eq!(user("guest"), Ok(guest));
        assert_eq!(user("1000"), Ok(User { uid: 1000, gid: 0, groups: vec![], home: "/".into() }));
        assert_eq!(user("405").unwrap().gid, 100);
    }

    #[test]
    fn a_group_of_ones_own_replaces_the_accounts_groups() {
        let found = user("guest:wheel").unwrap();
        assert_eq!((found.gid, found.groups), (10, vec![]));
        assert_eq!(user("guest:42").unwrap().gid, 42);
    }

    #[test]
    fn unknown_names_are_refused_with_dockers_words() {
        let message = "unable to find user nosuchuser: no matching entries in passwd file";
        assert_eq!(user("nosuchuser").unwrap_err().to_string(), message);
        let message = "unable to find group nosuch: no matching entries in group file";
        assert_eq!(user("root:nosuch").unwrap_err().to_string(), message);
    }

    #[test]
    fn an_image_without_the_files_still_has_root() {
        assert_eq!(resolve("", &[], "", ""), Ok(User { uid: 0, gid: 0, groups: vec![], home: "/".into() }));
    }
}
