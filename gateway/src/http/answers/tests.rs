use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;

use super::*;

const GRACE: Duration = Duration::from_secs(60);

fn answer(size: usize) -> Response {
    Body::from(vec![0; size]).into_response()
}

/// Returns the bytes that hyper holds of a response while the client reads nothing.
async fn queued(response: Response) -> Bytes {
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

// The count of unsent bytes is global, so all large responses are in one test.
#[tokio::test(start_paused = true)]
async fn an_answer_has_time_by_its_size_until_its_last_byte_is_gone() {
    let answers = Answers::new(GRACE);
    assert!(answers.overdue().now_or_never().is_none());
    // 1 MB: one minute, and 32 s.
    let first = queued(answers.watch(answer(1 << 20))).await;
    tokio::time::sleep(Duration::from_secs(91)).await;
    assert!(answers.overdue().now_or_never().is_none());
    let late = tokio::time::timeout(Duration::from_secs(2), answers.overdue()).await;
    assert!(late.unwrap().contains("too slowly"));
    drop(first);
    assert!(answers.overdue().now_or_never().is_none(), "it was sent");
    // Bodies without length are not counted.
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, axum::Error>>());
    let _endless = answers.watch(endless.into_response());
    assert!(answers.overdue().now_or_never().is_none());

    // The owner revokes its bytes.
    let revoked = CancellationToken::new();
    let mut shared = answer(1 << 20);
    shared.extensions_mut().insert(SharedBody { revoked: Some(revoked.clone()) });
    let second = queued(answers.watch(shared)).await;
    assert!(answers.overdue().now_or_never().is_none());
    revoked.cancel();
    assert!(answers.overdue().now_or_never().unwrap().contains("segment"));
    drop(second);

    // The unsent responses of many connections together.
    let mut held = Vec::new();
    let refused = loop {
        let response = Answers::new(GRACE).watch(answer(4 << 20));
        if response.status() != StatusCode::OK {
            break response.status();
        }
        held.push(queued(response).await);
    };
    assert_eq!((refused, held.len()), (StatusCode::SERVICE_UNAVAILABLE, MAX_UNSENT / (4 << 20)));
    // Small responses, and bodies that exist anyway, are still sent.
    assert_eq!(answers.watch(answer(SMALL)).status(), StatusCode::OK);
    let mut shared = answer(4 << 20);
    shared.extensions_mut().insert(SharedBody::default());
    assert_eq!(answers.watch(shared).status(), StatusCode::OK);
    held.pop();
    assert_eq!(answers.watch(answer(4 << 20)).status(), StatusCode::OK);
}
