//! A container that ended is let go of; what nobody needs any more is removed a little later, so
//! that runs in a row do not build everything anew.

use super::super::{Container, Engine, Error};
use crate::kernel::TracedHost;
use crate::op::NetworkOp;
use crate::trace::{Gate, Scope, Stop, Trace, TraceInfo, Watchers};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long bridge and rules outlast the last container.
const LINGER: Duration = Duration::from_secs(2);

impl Engine {
    /// Lets go of an ended container's networks. A failure is in the trace and stops nothing.
    pub(in crate::engine) async fn release_networks(&self, door: &TracedHost, container: &Container) {
        let Some(member) = self.networks.table.lock().await.forget(&container.id) else { return };
        for endpoint in &member.endpoints {
            let network = self.networks.table.lock().await.networks.get(&endpoint.network_id).cloned();
            network.iter().for_each(|one| self.events.network(one, "disconnect", Some(&container.id)));
        }
        drop(member);
        let released: Result<(), Error> = door
            .within(Scope::NetworkRelease, container.short_id(), |door| async move {
                door.perform(NetworkOp::ReleaseSandbox { sandbox: container.short_id() }).await?;
                self.apply_rules(&door).await
            })
            .await;
        if released.is_err() {
            // Also when the learner said stop at the gate: an end cannot be undone.
            let release = NetworkOp::ReleaseSandbox { sandbox: container.short_id() };
            let _ = self.host.perform(&release.into(), Default::default()).await;
        }
        container.record().network = Default::default();
        self.tidy_later();
    }

    /// Removes bridge and rules when nobody came back for them.
    pub(super) fn tidy_later(&self) {
        let Some(engine) = self.myself.upgrade() else { return };
        let seen = engine.networks.changes.load(Ordering::Relaxed);
        tokio::spawn(async move {
            tokio::time::sleep(LINGER).await;
            if engine.networks.changes.load(Ordering::Relaxed) == seen {
                engine.tidy_networks().await;
            }
        });
    }

    /// Removes what holds networks up that nobody is in: all rules with the last container, the
    /// default bridge with its own last.
    pub async fn tidy_networks(&self) {
        let info = TraceInfo {
            id: "daemon".into(),
            title: "daemon".into(),
            began: self.stamp(),
            simulated: self.simulated(),
        };
        let trace = Trace::begin(info, Gate::new(Stop::Never), Watchers::default(), None);
        let door = TracedHost::new(self.host.clone(), trace);
        let mut table = self.networks.table.lock().await;
        let name = table.rules_table();
        if table.members.is_empty()
            && table.rules.take().is_some()
            && door.perform(NetworkOp::RemoveRules { table: name }).await.is_err()
        {
            // Rules of bridges that are gone match nothing; the next container replaces them.
        }
        let default = table.networks.values().find(|network| network.name == "bridge").cloned();
        let Some(default) = default.filter(|network| table.up.contains(&network.id)) else { return };
        if table.endpoints(&default.id).next().is_some() {
            return;
        }
        let remove = NetworkOp::RemoveBridge { name: default.bridge.clone(), owner: self.network_owner() };
        if door.perform(remove).await.is_ok() {
            table.up.remove(&default.id);
        }
    }
}
