//! People who sign in, by the requests that browsers and libraries send.
#![allow(clippy::unwrap_used)]

mod app;
mod device;
#[path = "../support/mod.rs"]
mod support;

use app::{App, CHALLENGE, SCOPE, claims, parameters, text};
use redis_authx_emulator::{Emulator, SignInAnswer};
use redis_authx_entraid::HttpMethod;

#[tokio::test]
async fn the_page_asks_and_escapes_what_it_was_given() {
    let app = App::new().await;
    let url = app.page(&[("login_hint", "\"><script>alert(1)</script>")]);
    let answer = app.send(HttpMethod::Get, &url, &[]).await;
    assert_eq!(answer.status(), 200);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"));
    let page = text(&answer);
    assert!(
        page.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)"),
        "{page}"
    );
    assert!(!page.contains("<script"), "{page}");

    let again = app.send(HttpMethod::Post, &url, &[("username", " ")]).await;
    assert!(text(&again).contains("role=\"alert\""));
    assert_eq!(app.emulator.sign_ins().signed_in(), 0);
}

#[tokio::test]
async fn a_person_gets_tokens_that_say_who_they_are() {
    let app = App::new().await;
    let redirect = app.signed_in(&[("client_info", "1")]).await;
    assert_eq!(redirect["state"], "a b&c");
    assert!(redirect.contains_key("client_info"));

    let (status, json) = app.redeem(&redirect["code"], &[("client_info", "1")]).await;
    assert_eq!(status, 200, "{json}");
    assert_eq!(json["scope"], SCOPE);
    assert!(json["client_info"].is_string() && json["refresh_token"].is_string());
    let access = claims(&json["access_token"]);
    assert_eq!(access["oid"], app.emulator.object_id());
    assert_eq!(access["preferred_username"], "ada@contoso.example");
    assert_eq!(
        (&access["name"], &access["azpacr"]),
        (&"ada".into(), &"0".into())
    );
    assert!(access["scp"].is_string() && access.get("idtyp").is_none());
    let id = claims(&json["id_token"]);
    assert_eq!(id["nonce"], "n-1");
    assert_eq!(id["aud"], app.emulator.client_id());
    assert_eq!(id["oid"], app.emulator.object_id());
    assert_eq!(app.emulator.sign_ins().signed_in(), 1);

    let bare = app.signed_in(&[
        ("scope", "https://redis.azure.com/.default"),
        ("client_info", ""),
    ]);
    let bare = bare.await;
    assert!(!bare.contains_key("client_info"));
    let (_, json) = app.redeem(&bare["code"], &[]).await;
    assert!(json.get("id_token").is_none() && json.get("refresh_token").is_none());
}

#[tokio::test]
async fn answers_come_by_the_mode_that_is_asked_for() {
    let app = App::new().await;
    let url = app.page(&[("response_mode", "fragment")]);
    let fragment = app.emulator.sign_in(&url).await.unwrap();
    assert!(fragment.starts_with("http://localhost:1234#"), "{fragment}");
    assert!(parameters(&fragment).contains_key("code"));

    let url = app.page(&[("response_mode", "form_post")]);
    let pressed = [("username", "ada"), ("action", "sign-in")];
    let page = text(&app.send(HttpMethod::Post, &url, &pressed).await);
    assert!(
        page.contains("<form method=\"post\" action=\"http://localhost:1234\">"),
        "{page}"
    );
    assert!(
        page.contains("name=\"state\" value=\"a b&amp;c\""),
        "{page}"
    );
}

#[tokio::test]
async fn a_code_is_for_one_redemption_by_who_asked_for_it() {
    let app = App::new().await;
    let code = app.signed_in(&[]).await.remove("code").unwrap();
    for (other, error, number) in [
        (("code_verifier", CHALLENGE), "invalid_grant", 501_481),
        (("code_verifier", ""), "invalid_grant", 501_481),
        (
            ("redirect_uri", "http://localhost:1235"),
            "invalid_request",
            50_011,
        ),
        (("client_secret", "s"), "invalid_client", 700_025),
        (
            ("scope", "openid user.read https://redis.azure.com/.default"),
            "invalid_scope",
            70_011,
        ),
        (("code", "x"), "invalid_grant", 70_000),
        (("client_id", "x"), "unauthorized_client", 700_016),
    ] {
        // What is refused uses nothing up.
        let (status, json) = app.redeem(&code, &[other]).await;
        assert!(status >= 400);
        assert_eq!(
            (&json["error"], &json["error_codes"][0]),
            (&error.into(), &number.into())
        );
    }
    assert_eq!(app.redeem(&code, &[]).await.0, 200);
    let (_, json) = app.redeem(&code, &[]).await;
    assert_eq!(
        (&json["error"], &json["error_codes"][0]),
        (&"invalid_grant".into(), &54_005.into())
    );

    let late = app.signed_in(&[]).await;
    app.emulator.sign_ins().expire_codes();
    assert_eq!(
        app.redeem(&late["code"], &[]).await.1["error_codes"][0],
        70_008
    );
}

#[tokio::test]
async fn a_challenge_without_method_is_plain() {
    let app = App::new().await;
    let redirect = app.signed_in(&[("code_challenge_method", "")]).await;
    let plain = [("code_verifier", CHALLENGE)];
    assert_eq!(
        app.redeem(&redirect["code"], &[]).await.1["error_codes"][0],
        501_481
    );
    assert_eq!(app.redeem(&redirect["code"], &plain).await.0, 200);
}

#[tokio::test]
async fn what_has_nowhere_to_go_is_shown_and_the_rest_redirected() {
    let app = App::new().await;
    for (name, value, number) in [
        ("redirect_uri", "http://localhost/other", "AADSTS50011"),
        ("redirect_uri", "https://evil.example", "AADSTS50011"),
        ("redirect_uri", "", "AADSTS900144"),
        ("client_id", "x", "AADSTS700016"),
        ("response_mode", "x", "AADSTS70007"),
    ] {
        let answer = app
            .send(HttpMethod::Get, &app.page(&[(name, value)]), &[])
            .await;
        assert_eq!((answer.status(), answer.header("location")), (400, None));
        assert!(text(&answer).contains(number), "{number}");
    }
    for (name, value, error, number) in [
        (
            "response_type",
            "token",
            "unsupported_response_type",
            "AADSTS70005",
        ),
        ("scope", "", "invalid_request", "AADSTS900144"),
        ("code_challenge", "short", "invalid_request", "AADSTS50147"),
        (
            "code_challenge_method",
            "S512",
            "invalid_request",
            "AADSTS501491",
        ),
        ("prompt", "none", "login_required", "AADSTS50058"),
    ] {
        let answer = app
            .send(HttpMethod::Get, &app.page(&[(name, value)]), &[])
            .await;
        assert_eq!(answer.status(), 302, "{value}");
        let said = parameters(answer.header("location").unwrap());
        assert_eq!(
            (said["error"].as_str(), said["state"].as_str()),
            (error, "a b&c")
        );
        assert!(said["error_description"].starts_with(number));
    }
}

#[tokio::test]
async fn people_can_be_made_to_answer_by_themselves() {
    let app = App::new().await;
    for (answer, error, subcode) in [
        (SignInAnswer::Cancel, "access_denied", Some("cancel")),
        (SignInAnswer::Decline, "consent_required", None),
        (SignInAnswer::Accept, "", None),
    ] {
        app.emulator.sign_ins().set_answer(answer);
        let page = app
            .send(HttpMethod::Get, &app.page(&[("prompt", "none")]), &[])
            .await;
        let said = parameters(page.header("location").unwrap());
        assert_eq!(said.get("error").map_or("", String::as_str), error);
        assert_eq!(said.get("error_subcode").map(String::as_str), subcode);
        assert_eq!(said.contains_key("code"), error.is_empty());
    }
    assert_eq!(app.emulator.sign_ins().cancelled(), 2);
    assert_eq!(app.emulator.sign_ins().signed_in(), 1);
}

#[tokio::test]
async fn refresh_tokens_live_until_something_ends_them() {
    let app = App::new().await;
    let sign_ins = app.emulator.sign_ins();
    let code = app.signed_in(&[]).await.remove("code").unwrap();
    let (_, json) = app.redeem(&code, &[]).await;
    let first = json["refresh_token"].as_str().unwrap();
    let (_, json) = app.refresh(first).await;
    let second = json["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);
    assert_eq!(claims(&json["id_token"])["nonce"], "n-1");
    assert_eq!(app.refresh(first).await.0, 200, "Entra's live on");

    sign_ins.require_interaction(true);
    let (_, json) = app.refresh(second).await;
    assert_eq!(
        (&json["error"], &json["error_codes"][0]),
        (&"interaction_required".into(), &50_076.into())
    );
    sign_ins.require_interaction(false);

    sign_ins.single_use_refresh_tokens(true);
    let (_, json) = app.refresh(second).await;
    let third = json["refresh_token"].as_str().unwrap();
    assert_eq!(app.refresh(second).await.1["error_codes"][0], 50_173);
    assert_eq!(sign_ins.refreshed(), 3);
    sign_ins.expire_refresh_tokens();
    assert_eq!(app.refresh(third).await.1["error_codes"][0], 700_082);
    assert_eq!(app.refresh(second).await.1["error_codes"][0], 50_173);
    assert_eq!(app.refresh("x").await.1["error_codes"][0], 70_000);
}

#[tokio::test]
async fn a_web_application_must_send_its_secret() {
    let uri = "https://app.example.com/signed-in?a=b";
    let emulator = Emulator::builder()
        .web_redirect_uri(uri)
        .start()
        .await
        .unwrap();
    let app = App::of(emulator);
    let redirect = app
        .emulator
        .sign_in(&app.page(&[("redirect_uri", uri)]))
        .await
        .unwrap();
    assert!(
        redirect.starts_with("https://app.example.com/signed-in?a=b&code="),
        "{redirect}"
    );
    let code = parameters(&redirect).remove("code").unwrap();
    let uri = ("redirect_uri", uri);
    assert_eq!(
        app.redeem(&code, &[uri]).await.1["error_codes"][0],
        7_000_218
    );
    let wrong = [uri, ("client_secret", "x")];
    assert_eq!(
        app.redeem(&code, &wrong).await.1["error_codes"][0],
        7_000_215
    );
    let secret = ("client_secret", app.emulator.client_secret());
    let (_, json) = app.redeem(&code, &[uri, secret]).await;
    let refresh = ("refresh_token", json["refresh_token"].as_str().unwrap());
    let grant = ("grant_type", "refresh_token");
    assert_eq!(app.token(&[grant, refresh]).await.0, 401);
    assert_eq!(app.token(&[grant, refresh, secret]).await.0, 200);
}

#[tokio::test]
async fn a_scope_of_microsoft_graph_gives_a_token_that_redis_refuses() {
    let app = App::new().await;
    let code = app
        .signed_in(&[("scope", "user.read offline_access")])
        .await
        .remove("code")
        .unwrap();
    let (status, json) = app.redeem(&code, &[]).await;
    assert_eq!(status, 200);
    let token = json["access_token"].as_str().unwrap();
    let error = support::connect(&app.emulator, false, token)
        .await
        .err()
        .unwrap();
    assert!(support::refused(&error), "{error}");
}
