use redis_authx_entraid::HttpMethod;
use serde_json::Value;

use crate::app::{App, SCOPE, text};

#[tokio::test]
async fn a_device_waits_for_its_person() {
    let app = App::new().await;
    let sign_ins = app.emulator.sign_ins();
    let begin = async || {
        let fields = [("client_id", app.emulator.client_id()), ("scope", SCOPE)];
        let answer = app
            .send(HttpMethod::Post, &app.endpoint("devicecode"), &fields)
            .await;
        let json: Value = serde_json::from_slice(answer.body()).unwrap();
        assert!(json["expires_in"].is_u64() && json["interval"].is_u64());
        json
    };
    let poll = async |begun: &Value| {
        let code = begun["device_code"].as_str().unwrap();
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        app.token(&[("grant_type", grant), ("device_code", code)])
            .await
            .1
    };
    let begun = begin().await;
    sign_ins.slow_down_next(1);
    assert_eq!(poll(&begun).await["error"], "slow_down");
    assert_eq!(poll(&begun).await["error"], "authorization_pending");

    // On the page, in lower case, after a mistake.
    let page = begun["verification_uri"].as_str().unwrap();
    let shown = text(&app.send(HttpMethod::Get, page, &[]).await);
    assert!(shown.contains("name=\"code\""));
    let code = begun["user_code"].as_str().unwrap().to_lowercase();
    let wrong = [("code", "x"), ("username", "ada")];
    let shown = text(&app.send(HttpMethod::Post, page, &wrong).await);
    assert!(shown.contains("role=\"alert\""));
    let right = [("code", code.as_str()), ("username", "ada")];
    app.send(HttpMethod::Post, page, &right).await;
    assert!(poll(&begun).await["refresh_token"].is_string());
    assert_eq!(poll(&begun).await["error"], "expired_token");

    let begun = begin().await;
    assert_eq!(
        sign_ins.user_codes(),
        [begun["user_code"].as_str().unwrap()]
    );
    assert!(sign_ins.decline_device(&sign_ins.user_codes()[0]));
    assert_eq!(poll(&begun).await["error"], "authorization_declined");
    let begun = begin().await;
    assert!(sign_ins.approve_device(&sign_ins.user_codes()[0]));
    assert!(!sign_ins.approve_device("x"));
    assert!(poll(&begun).await["access_token"].is_string());
    let begun = begin().await;
    sign_ins.expire_codes();
    assert_eq!(poll(&begun).await["error"], "expired_token");
    let unknown = serde_json::json!({ "device_code": "x" });
    assert_eq!(poll(&unknown).await["error"], "bad_verification_code");
    assert_eq!((sign_ins.signed_in(), sign_ins.cancelled()), (2, 1));
}
