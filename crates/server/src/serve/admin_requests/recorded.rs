//! Commands that change something, in the audit trail.

use serde_json::Value;
use tidegate_ids::Tenant;
use tidegate_logs::{ApiCall, Identity, Note, Trail};
use uuid::Uuid;

use super::{Answerer, Done};
use crate::admin::{Peer, Request};

/// A command that is to be recorded, from before it is carried out.
pub(super) struct Recorded {
    call: ApiCall,
    home: Tenant,
}

impl Recorded {
    /// `None` for what changes nothing.
    pub(super) fn of(request: &Request, by: &Answerer, peer: Peer) -> Option<Self> {
        let (operation, account) = match request {
            Request::CreateAccount { id } => ("CreateAccount", *id),
            Request::CreateKey { account } => ("CreateAccessKey", Some(*account)),
            Request::DeleteKey { access_key_id } => {
                ("DeleteAccessKey", by.registry.directory().access_key_owner(access_key_id).map(|(account, _)| account))
            }
            Request::Kick { scope, .. } => ("KickConnections", scope.account),
            Request::DropSession { scope, .. } => ("DropSession", scope.account),
            Request::ListAccounts
            | Request::ListKeys { .. }
            | Request::Explain { .. }
            | Request::Why { .. }
            | Request::ListRefusals { .. }
            | Request::VerifyAudit
            | Request::ListConnections(_)
            | Request::ListSessions(_)
            | Request::ShowSession { .. }
            | Request::ListRetained { .. } => return None,
        };
        let mut parameters = match serde_json::to_value(request) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => Default::default(),
        };
        parameters.remove("command");
        let call = ApiCall {
            tenant: Tenant { account: account.unwrap_or(by.home.account), region: by.home.region },
            at: by.clock.now().wall,
            identity: Identity::Local { uid: peer.uid },
            source_ip: "admin socket".to_owned(),
            user_agent: concat!("tidegate/", env!("CARGO_PKG_VERSION")).to_owned(),
            service: "tidegate",
            operation: operation.to_owned(),
            parameters: ApiCall::parameters(parameters),
            request_id: Uuid::new_v4(),
            error: None,
        };
        Some(Self { call, home: by.home })
    }

    /// Carries out `work`, and records it before it is answered: where it changed something, and in the first account when it failed.
    pub(super) async fn carry_out(
        self,
        trail: &Trail,
        work: impl Future<Output = Result<Done, String>>,
    ) -> Result<Value, String> {
        let Self { call, home } = self;
        let note = Note::of(&call);
        let outcome = note.around(work).await;
        let (tenants, error) = match &outcome {
            Ok(done) if done.touched.is_empty() => (vec![call.tenant], None),
            Ok(done) => (done.touched.clone(), None),
            Err(why) => (vec![home], Some(("CommandFailed".to_owned(), why.clone()))),
        };
        for tenant in tenants {
            let call = ApiCall { tenant, error: error.clone(), ..call.clone() };
            trail.append(&call, Some(&note)).await.map_err(|failed| {
                let done = outcome.as_ref().err().map_or("it was done", |why| why.as_str());
                format!("{done}; and it could not be recorded in the audit trail: {failed}")
            })?;
        }
        outcome.map(|done| done.answer)
    }
}
