//! The service `FlaggedSenders` over a board.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use turnwise_model::limits::GRPC_CALLS_MAX;

use crate::answers::{as_of, full, summary};
use crate::board::{Board, Published, PublishedSender};
use crate::page::{Filters, PageToken, page_size};
use crate::proto::flagged_senders_server::FlaggedSenders;
use crate::proto::{GetRequest, GetResponse, ListRequest, ListResponse};
use crate::refusal::Refusal;
use crate::telemetry;

/// Answers from the newest publication, or from the one that a page token names.
pub(crate) struct Service {
    board: Board,
    calls: Semaphore,
}

impl Service {
    pub(crate) fn new(board: Board) -> Self {
        Self { board, calls: Semaphore::new(GRPC_CALLS_MAX) }
    }

    /// Bounds, answers and counts one call.
    fn answer<T>(
        &self,
        method: &'static str,
        call: impl FnOnce(&Board) -> Result<T, Refusal>,
    ) -> Result<Response<T>, Status> {
        let began = Instant::now();
        let answer = match self.calls.try_acquire() {
            Ok(_permit) => call(&self.board),
            Err(_) => Err(Refusal::Busy),
        };
        let answer = answer.map(Response::new).map_err(Status::from);
        let code = answer.as_ref().err().map_or(tonic::Code::Ok, Status::code);
        telemetry::call(method, code, began.elapsed());
        answer
    }
}

#[tonic::async_trait]
impl FlaggedSenders for Service {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        self.answer("List", |board| list(board, request.get_ref()))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.answer("Get", |board| get(board, request.get_ref()))
    }
}

fn list(board: &Board, request: &ListRequest) -> Result<ListResponse, Refusal> {
    let size = page_size(request.page_size)?;
    let filters = Filters::read(request)?;
    let hash = filters.hash();
    let (state, after) = if request.page_token.is_empty() {
        (board.current().ok_or(Refusal::NotPublished)?, None)
    } else {
        let token = PageToken::decode(&request.page_token, hash)?;
        (state_of(board, &token)?, Some(token.after))
    };
    let start = after.map_or(0, |after| {
        state.senders.partition_point(|sender| sender.answer.window.sender <= after)
    });
    let mut matching = state.senders[start..].iter().filter(|sender| filters.admit(sender));
    let page: Vec<&PublishedSender> = matching.by_ref().take(size).collect();
    let next_page_token = match (page.last(), matching.next()) {
        (Some(last), Some(_)) => {
            let after = last.answer.window.sender.clone();
            PageToken { state: state.key(), filters: hash, after }.encode()
        }
        _ => String::new(),
    };
    let senders = page.into_iter().map(|sender| summary(sender, &state)).collect();
    Ok(ListResponse { senders, next_page_token, as_of: Some(as_of(&state)) })
}

/// A replica that has published nothing yet cannot tell a lost state from one to come.
fn state_of(board: &Board, token: &PageToken) -> Result<Arc<Published>, Refusal> {
    board.current().ok_or(Refusal::NotPublished)?;
    board.state(token.state).ok_or(Refusal::PageExpired)
}

fn get(board: &Board, request: &GetRequest) -> Result<GetResponse, Refusal> {
    if request.sender.is_empty() {
        return Err(Refusal::Field { field: "sender", why: "must be a phone number id" });
    }
    let state = board.current().ok_or(Refusal::NotPublished)?;
    let sender = state.sender(&request.sender).ok_or(Refusal::UnknownSender)?;
    Ok(full(sender, &state))
}
