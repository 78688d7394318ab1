//! Dispatches each request to its handler.

use super::{Origin, Session};
use crate::connection::Channel;
use swath_wire::{BadRequest, Envelope, ErrorReply, Request};

impl Session {
    /// Handles one request. All requests except executions, completions and
    /// inspections are answered before this returns.
    pub(super) fn dispatch(&mut self, channel: Channel, envelope: Envelope) {
        let Envelope {
            identities,
            header,
            msg_type,
            request,
        } = envelope;
        let _span =
            tracing::debug_span!("request", %msg_type, msg_id = %header["msg_id"]).entered();
        let origin = Origin {
            channel,
            identities,
            header,
        };
        let request = match request {
            Ok(request) => request,
            Err(bad) => return self.refuse(&origin, &msg_type, &bad),
        };
        if channel == Channel::Stdin {
            match request {
                Request::InputReply(line) => self.on_input_reply(line),
                _ => tracing::warn!("`{msg_type}` on the stdin channel, message dropped"),
            }
            return;
        }
        match request {
            // These mark busy and idle themselves: their work goes on.
            Request::Execute(request) => self.on_execute(origin, request),
            Request::Complete(request) => self.on_complete(origin, request),
            Request::Inspect(request) => self.on_inspect(origin, request),
            Request::InputReply(_) => self.at_once(&origin, |_, _| {
                tracing::warn!("input_reply outside of the stdin channel, message dropped");
            }),
            Request::KernelInfo => self.at_once(&origin, |session, origin| {
                session.on_kernel_info(origin);
            }),
            Request::IsComplete(request) => {
                self.at_once(&origin, |session, origin| {
                    session.on_is_complete(origin, &request);
                });
            }
            Request::History(request) => {
                self.at_once(&origin, |session, origin| {
                    session.on_history(origin, &request);
                });
            }
            Request::CommInfo(request) => {
                self.at_once(&origin, |session, origin| {
                    session.on_comm_info(origin, &request);
                });
            }
            Request::CommOpen(request) => {
                self.at_once(&origin, |session, origin| {
                    session.on_comm_open(origin, request);
                });
            }
            Request::CommMsg(request) => {
                self.at_once(&origin, |session, _| {
                    session.on_comm_msg(request);
                });
            }
            Request::CommClose(request) => {
                self.at_once(&origin, |session, _| {
                    session.on_comm_close(request);
                });
            }
            Request::Connect => self.at_once(&origin, |session, origin| {
                session.on_connect(origin);
            }),
            Request::Interrupt => self.at_once(&origin, Self::on_interrupt),
            Request::Shutdown(request) => {
                self.at_once(&origin, |session, origin| {
                    session.on_shutdown(origin, request);
                });
            }
        }
    }

    /// Answers a request before this returns, between busy and idle.
    fn at_once(&mut self, origin: &Origin, answer: impl FnOnce(&mut Self, &Origin)) {
        self.busy(origin);
        answer(self, origin);
        self.idle(origin);
    }

    /// Answers a request whose content does not parse.
    fn refuse(&self, origin: &Origin, msg_type: &str, bad: &BadRequest) {
        tracing::warn!(error = %bad, "bad request");
        if origin.channel == Channel::Stdin {
            return;
        }
        self.busy(origin);
        if let Some(reply) = ErrorReply::new(msg_type, bad) {
            self.reply(origin, &reply);
        }
        self.idle(origin);
    }
}
