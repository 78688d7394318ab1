//! The request on whose behalf a message is sent.

use bytes::Bytes;
use serde_json::Value;

use super::Session;
use crate::connection::Channel;
use swath_wire::{Content, Status};

/// The origin of a request, which its reply and its outputs refer to.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The socket to reply on.
    pub(super) channel: Channel,
    /// The identities of the client to reply to.
    pub(super) identities: Vec<Bytes>,
    /// The parent of everything sent on its behalf.
    pub(super) header: Value,
}

impl Session {
    /// Broadcasts on behalf of `parent`.
    pub(super) fn publish<C: Content>(&self, parent: &Value, content: &C) {
        match self.encoder.publish(parent, content) {
            Ok(frames) => self.channels.publish(frames),
            Err(error) => tracing::error!(%error, "{} is not JSON", content.msg_type()),
        }
    }

    /// Replies to `origin`.
    pub(super) fn reply<C: Content>(&self, origin: &Origin, content: &C) {
        self.send(origin.channel, origin, content);
    }

    /// Sends to the client of `origin` on any channel.
    pub(super) fn send<C: Content>(&self, channel: Channel, origin: &Origin, content: &C) {
        match self
            .encoder
            .encode(origin.identities.clone(), &origin.header, content)
        {
            Ok(frames) => self.channels.send(channel, frames),
            Err(error) => tracing::error!(%error, "{} is not JSON", content.msg_type()),
        }
    }

    /// Reports the beginning of the work on `origin`.
    pub(super) fn busy(&self, origin: &Origin) {
        self.publish(&origin.header, &Status::Busy);
    }

    /// Reports the end of the work on `origin`.
    pub(super) fn idle(&self, origin: &Origin) {
        self.publish(&origin.header, &Status::Idle);
        // Front ends show the last state they received, whatever request caused
        // it: a completion's idle must not hide that a cell runs.
        if let Some(running) = &self.running {
            self.publish(&running.origin().header, &Status::Busy);
        }
    }
}
