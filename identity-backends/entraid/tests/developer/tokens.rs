use std::time::{Duration, SystemTime};

use redis_authx::testing::minutes;
use redis_authx::{IdentityProvider, TokenManager, TokenRequest};
use redis_authx_entraid::ClaimError;

use crate::common::{OID, access_token, clock, jwt, left, request};
use crate::fake::{Fake, echo, prints, signed_in};

fn epoch(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("after 1970").as_secs() + seconds
}

#[test]
fn each_tool_gives_a_token_that_expires_by_its_exp() {
    let token = access_token(3600);
    for (index, text) in prints(&token, epoch(7200)).iter().enumerate() {
        let fake = Fake::new(&echo(text));
        let found = request(&fake.identities()[index]).expect("a token");
        assert_eq!((found.username(), found.password()), (OID, &*token));
        let left = left(&found);
        assert!(left <= minutes(60) && left > minutes(58), "{left:?}");
    }
}

#[test]
fn an_earlier_expires_on_counts() {
    let texts = prints(&access_token(3600), epoch(600));
    // azd has none that is read.
    for index in [0, 2] {
        let fake = Fake::new(&echo(&texts[index]));
        let left = left(&request(&fake.identities()[index]).expect("a token"));
        assert!(left <= minutes(10) && left > minutes(8), "{left:?}");
    }
}

#[test]
fn the_user_name_can_be_another() {
    let fake = signed_in();
    let by_claim = fake.az().username_claim("upn").build().expect("az");
    assert_eq!(
        request(&by_claim).expect("a token").username(),
        "app@contoso.com"
    );
    let mapped = fake
        .az()
        .username(|claims| Ok(format!("dev-{}", claims.oid()?)));
    let mapped = mapped.build().expect("az");
    assert_eq!(
        request(&mapped).expect("a token").username(),
        format!("dev-{OID}")
    );
}

#[test]
fn a_token_without_object_id_is_of_no_use() {
    let fake = Fake::new(&echo(
        &prints(&jwt(r#"{"exp":9999999999}"#), 9_999_999_999)[0],
    ));
    let error = request(&fake.az().build().expect("az")).expect_err("no user name");
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
    assert_eq!(source, Some(&ClaimError::MissingClaim("oid".into())));
}

/// `az` gives out what it has. A manager that wants to renew at three quarters
/// asks too early.
#[test]
fn a_token_that_the_tool_repeats_makes_no_loop_and_no_rotation() {
    let fake = Fake::new(&format!(
        "echo >>\"$notes/runs\"\n{}",
        echo(&prints(&access_token(3600), u32::MAX.into())[0])
    ));
    let runs = || std::fs::read_to_string(fake.folder().join("runs")).map_or(0, |text| text.len());
    let identity = fake.az().build().expect("az");

    let time = clock();
    let (manager, driver) = TokenManager::builder(Blocking(identity)).build(&time);
    let mut run = time.run(driver);
    run.advance(minutes(50));

    assert_eq!(manager.credentials().generation(), 1);
    // The first; one at three quarters of the hour; and then one after each
    // quarter of the time left.
    assert!((2..=4).contains(&runs()), "{} runs", runs());
}

/// In manual time a request has to end where it began: the tool runs in real
/// time.
#[derive(Debug)]
struct Blocking(redis_authx_entraid::EntraIdentity);

#[redis_authx::async_trait]
impl IdentityProvider for Blocking {
    async fn request_token(
        &self,
        request: &TokenRequest<'_>,
    ) -> Result<redis_authx::Token, redis_authx::ProviderError> {
        futures::executor::block_on(self.0.request_token(request))
    }
}

#[test]
fn a_limit_that_is_met_leaves_the_token_alone() {
    let fake = signed_in();
    let identity = fake.az().time_limit(Duration::from_secs(60)).build();
    assert!(request(&identity.expect("az")).is_ok());
}
