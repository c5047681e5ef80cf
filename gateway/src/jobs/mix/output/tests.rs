//! The beginning of an output.

use super::*;
use crate::context::Context;
use crate::core::auth::Auth;
use crate::limits::LimitSettings;

#[tokio::test]
async fn a_stream_that_another_run_is_about_to_leave_is_waited_for() {
    let hub = Context::new(LimitSettings::default(), Auth::default()).hub.clone();
    let previous = publish(&hub, "live/mix").await.unwrap();
    let ends = async {
        tokio::task::yield_now().await;
        drop(previous);
    };
    let (next, ()) = tokio::join!(publish(&hub, "live/mix"), ends);
    assert!(next.is_ok());
    // A stream that stays busy is refused in the end.
    tokio::time::pause();
    assert!(publish(&hub, "live/mix").await.unwrap_err().contains("cannot publish live/mix"));
}
