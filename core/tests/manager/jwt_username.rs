//! Which user a token logs in as.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis_authx::jwt::{ClaimError, Claims, Username};

fn claims() -> Claims {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"oid":"o-1","upn":"a@b.c","exp":1}"#);
    Claims::parse(&format!("e30.{payload}.c2ln")).expect("claims")
}

#[test]
fn the_object_id_by_default_or_another_claim() {
    assert_eq!(Username::default().resolve(&claims()), Ok("o-1".into()));
    assert_eq!(
        Username::claim("upn").resolve(&claims()),
        Ok("a@b.c".into())
    );
    let missing = Err(ClaimError::MissingClaim("appid".into()));
    assert_eq!(Username::claim("appid").resolve(&claims()), missing);
    let number = Err(ClaimError::InvalidClaim("exp".into()));
    assert_eq!(Username::claim("exp").resolve(&claims()), number);
}

#[test]
fn a_name_is_made_as_a_claim_could_be() {
    let made = Username::from_fn(|claims| Ok(format!("app-{}", claims.oid()?)));
    assert_eq!(made.resolve(&claims()), Ok("app-o-1".into()));
    for name in ["", "a b", "a\r\nAUTH"] {
        let made = Username::from_fn(move |_| Ok(name.to_owned()));
        let refused = Err(ClaimError::InvalidClaim("username".into()));
        assert_eq!(made.resolve(&claims()), refused, "{name:?}");
    }
    let failed = Username::from_fn(|_| Err(ClaimError::MissingClaim("x".into())));
    let said = Err(ClaimError::MissingClaim("x".into()));
    assert_eq!(failed.resolve(&claims()), said);
}

#[test]
fn a_blank_claim_is_refused() {
    for blank in ["", " ", "\t\n"] {
        let error = Username::claim(blank).validate().expect_err("blank");
        assert_eq!(error.field(), "username_claim");
        assert!(error.to_string().contains("`oid`"), "{error}");
    }
    assert_eq!(Username::claim("upn").validate(), Ok(()));
    assert_eq!(Username::from_fn(|_| Ok(String::new())).validate(), Ok(()));
}
