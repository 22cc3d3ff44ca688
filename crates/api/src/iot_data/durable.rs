//! What is answered has been committed.

use tidegate_mqtt::ReasonCode;
use tokio::sync::oneshot;

use crate::ApiError;

/// Tells an operation what became of what it changed.
pub(super) fn promise() -> (impl FnOnce(ReasonCode) + Send + 'static, Answer) {
    let (tell, told) = oneshot::channel();
    let tell = move |code| {
        // Whoever asked may have gone.
        let _ = tell.send(code);
    };
    (tell, Answer(told))
}

/// What will be told.
pub(super) struct Answer(oneshot::Receiver<ReasonCode>);

impl Answer {
    /// Waits until it is durable.
    ///
    /// # Errors
    /// It cannot be kept: the disk is nearly full, or the broker ends.
    pub(super) async fn kept(self) -> Result<(), ApiError> {
        match self.0.await {
            Ok(code) if !code.is_failure() => Ok(()),
            Ok(ReasonCode::QuotaExceeded) => {
                let text = "The server's disk is nearly full: nothing can be kept until it has room";
                Err(ApiError::new("ServiceUnavailableException", 503, text))
            }
            Ok(_) | Err(_) => Err(ApiError::new("InternalFailureException", 500, "An internal error occurred")),
        }
    }
}
