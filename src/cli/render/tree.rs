//! The tree of scopes, as far as it is known.

use crate::trace::{Event, Record, Scope, Stage};
use std::collections::HashMap;

/// One scope.
#[derive(Clone, Debug)]
pub struct Node {
    /// The enclosing scope; 0 is the trace itself.
    pub parent: u32,
    /// Its kind.
    pub kind: Scope,
    /// What it is about.
    pub about: String,
    /// 0 for a scope of the trace itself.
    pub depth: usize,
    /// Not ended yet.
    pub open: bool,
    /// The outermost scope around this one (or itself) that runs beside others.
    pub block: Option<u32>,
}

/// All scopes of a trace.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: HashMap<u32, Node>,
    open: usize,
}

impl Tree {
    /// Takes in one record.
    pub fn record(&mut self, record: &Record) {
        match &record.event {
            Event::Opened { id, kind, about } => {
                // What happens after its enclosing work ended stands for itself.
                let parent = self.nodes.get(&record.scope).filter(|parent| parent.open);
                let depth = parent.map_or(0, |parent| parent.depth + 1);
                let block = parent.and_then(|parent| parent.block);
                let block = block.or_else(|| runs_beside_others(*kind).then_some(*id));
                let node = Node {
                    parent: record.scope,
                    kind: *kind,
                    about: about.clone(),
                    depth,
                    open: true,
                    block,
                };
                self.nodes.insert(*id, node);
                self.open += 1;
            }
            Event::Closed { .. } => {
                if let Some(node) = self.nodes.get_mut(&record.scope).filter(|node| node.open) {
                    node.open = false;
                    self.open -= 1;
                }
            }
            _ => {}
        }
    }

    /// A scope; `None` for the trace itself and for scopes whose opening was missed.
    pub fn get(&self, id: u32) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Scopes that have not ended.
    pub fn open_scopes(&self) -> usize {
        self.open
    }

    /// Whether a scope is the request with which clients find out whether anybody is there.
    pub fn is_ping(&self, id: u32) -> bool {
        self.get(id).is_some_and(|node| node.kind == Scope::Request && node.about.ends_with("/_ping"))
    }

    /// The stage of the story `id` belongs to: its own, else an enclosing scope's.
    pub fn stage(&self, id: u32) -> Option<Stage> {
        let mut at = self.get(id);
        while let Some(node) = at {
            if let Some(stage) = node.kind.stage() {
                return Some(stage);
            }
            at = self.get(node.parent);
        }
        None
    }
}

/// Kinds of work a pull does several of at once.
fn runs_beside_others(kind: Scope) -> bool {
    matches!(kind, Scope::ConfigFetch | Scope::LayerFetch | Scope::LayerUnpack)
}
