//! Comms between clients and the runtime process, which has the other end.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>
//!
//! The kernel passes messages on, even while a cell runs, and keeps track of the
//! open comms, so that it can answer for a runtime process that is busy or has
//! ended.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Origin, Session};
use crate::execution::{Comm, CommAction};
use swath_wire::{CommClose, CommInfoReply, CommInfoRequest, CommMsg, CommOpen};

/// The open comms, and the targets that can be opened.
#[derive(Debug, Default)]
pub(super) struct Comms {
    /// The target of each open comm, by its id.
    open: BTreeMap<String, String>,
    /// The targets for which the runtime process accepts comms.
    targets: BTreeSet<String>,
}

/// A comm event from the runtime process.
#[derive(Clone, Debug)]
pub(super) enum CommEvent {
    Comm(Comm),
    /// It starts or stops accepting comms to a target.
    Target {
        name: String,
        exists: bool,
    },
    /// It has ended.
    Gone,
}

impl Session {
    pub(super) fn on_comm_info(&self, origin: &Origin, request: &CommInfoRequest) {
        let wanted = request.target_name.as_ref();
        let comms: Map<String, Value> = self
            .comms
            .open
            .iter()
            .filter(|(_, target)| wanted.is_none_or(|wanted| wanted == *target))
            .map(|(id, target)| (id.clone(), json!({ "target_name": target })))
            .collect();
        let status = "ok";
        self.reply(origin, &CommInfoReply { status, comms });
    }

    /// Opens a comm. For an unknown target, the protocol requires an immediate
    /// comm_close.
    pub(super) fn on_comm_open(&mut self, origin: &Origin, open: CommOpen) {
        let target = open.target_name;
        if !self.comms.targets.contains(&target) {
            tracing::warn!("no comm target `{target}`, comm closed");
            self.publish(&origin.header, &close(open.comm_id));
            return;
        }
        self.comms.open.insert(open.comm_id.clone(), target.clone());
        let action = CommAction::Open { target };
        self.pass_on(open.comm_id, action, open.data, open.metadata, open.buffers);
    }

    pub(super) fn on_comm_msg(&self, message: CommMsg) {
        let CommMsg {
            comm_id: id,
            data,
            metadata,
            buffers,
        } = message;
        if self.comms.open.contains_key(&id) {
            self.pass_on(id, CommAction::Message, data, metadata, buffers);
        } else {
            tracing::warn!("no comm `{id}`, message dropped");
        }
    }

    pub(super) fn on_comm_close(&mut self, close: CommClose) {
        let CommClose {
            comm_id: id,
            data,
            metadata,
            buffers,
        } = close;
        if self.comms.open.remove(&id).is_some() {
            self.pass_on(id, CommAction::Close, data, metadata, buffers);
        } else {
            tracing::debug!("comm `{id}` was not open");
        }
    }

    fn pass_on(
        &self,
        id: String,
        action: CommAction,
        data: Value,
        metadata: Map<String, Value>,
        buffers: Vec<Bytes>,
    ) {
        self.evaluator.comm(Comm {
            id,
            action,
            data,
            metadata,
            buffers: buffers
                .into_iter()
                .map(|buffer| buffer.to_vec().into())
                .collect(),
        });
    }

    /// Handles a comm event that the runtime process caused on behalf of a cell.
    pub(super) fn on_comm_event(&mut self, cell: u64, event: CommEvent) {
        let parent = self.outputs.parent(cell).cloned().unwrap_or(Value::Null);
        match event {
            CommEvent::Target { name, exists } => {
                if exists {
                    self.comms.targets.insert(name);
                } else {
                    self.comms.targets.remove(&name);
                }
            }
            CommEvent::Gone => {
                self.comms.targets.clear();
                for id in std::mem::take(&mut self.comms.open).into_keys() {
                    self.publish(&parent, &close(id));
                }
            }
            CommEvent::Comm(comm) => self.publish_comm(&parent, comm),
        }
    }

    fn publish_comm(&mut self, parent: &Value, comm: Comm) {
        let Comm {
            id: comm_id,
            action,
            data,
            metadata,
            buffers,
        } = comm;
        let buffers = buffers
            .into_iter()
            .map(|buffer| Bytes::from(buffer.0))
            .collect();
        match action {
            CommAction::Open { target } => {
                self.comms.open.insert(comm_id.clone(), target.clone());
                let target_name = target;
                self.publish(
                    parent,
                    &CommOpen {
                        comm_id,
                        target_name,
                        data,
                        metadata,
                        buffers,
                    },
                );
            }
            CommAction::Message => self.publish(
                parent,
                &CommMsg {
                    comm_id,
                    data,
                    metadata,
                    buffers,
                },
            ),
            CommAction::Close => {
                self.comms.open.remove(&comm_id);
                self.publish(
                    parent,
                    &CommClose {
                        comm_id,
                        data,
                        metadata,
                        buffers,
                    },
                );
            }
        }
    }
}

fn close(comm_id: String) -> CommClose {
    CommClose {
        comm_id,
        data: json!({}),
        metadata: Map::new(),
        buffers: Vec::new(),
    }
}
