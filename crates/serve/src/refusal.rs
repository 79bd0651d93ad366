//! Why a call is not answered, and with which code and details: chosen here and nowhere else.
//!
//! Nothing that the client sent is repeated: it may be anything.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of the reasons in `ErrorInfo`.
const DOMAIN: &str = "turnwise.v1";

/// Why a call is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A field of the request cannot be used.
    Field { field: &'static str, why: &'static str },
    /// The state of a page token is kept no longer.
    PageExpired,
    /// The sender has no verdict.
    UnknownSender,
    /// Nothing was published yet.
    NotPublished,
    /// As many calls as may be are being answered.
    Busy,
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let mut details = ErrorDetails::new();
        let (code, reason, message) = match refusal {
            Refusal::Field { field, why } => {
                details.add_bad_request_violation(field, why);
                (Code::InvalidArgument, "INVALID_FIELD", format!("{field}: {why}"))
            }
            Refusal::PageExpired => {
                let message = "the state of this page token is gone: list again from the start";
                (Code::FailedPrecondition, "PAGE_EXPIRED", message.to_owned())
            }
            Refusal::UnknownSender => {
                let message = "this sender has no verdict in the newest window";
                details.set_resource_info("turnwise.v1.Sender", "", "", message);
                (Code::NotFound, "SENDER_NOT_FOUND", message.to_owned())
            }
            Refusal::NotPublished => {
                details.set_retry_info(Some(Duration::from_secs(5)));
                (Code::Unavailable, "NOT_PUBLISHED", "nothing was derived yet".to_owned())
            }
            Refusal::Busy => {
                details.set_retry_info(Some(Duration::from_secs(1)));
                (Code::ResourceExhausted, "BUSY", "too many calls at one time".to_owned())
            }
        };
        details.set_error_info(reason, DOMAIN, HashMap::<String, String>::new());
        Status::with_error_details(code, message, details)
    }
}

/// The name of a code as a metric label: a closed set.
pub(crate) const fn code_label(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::InvalidArgument => "invalid_argument",
        Code::NotFound => "not_found",
        Code::FailedPrecondition => "failed_precondition",
        Code::Unavailable => "unavailable",
        Code::ResourceExhausted => "resource_exhausted",
        _ => "other",
    }
}
