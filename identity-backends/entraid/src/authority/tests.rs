use super::*;

fn endpoint(authority: Authority) -> String {
    authority.app_url("token").expect("a good authority")
}

fn error(authority: Authority) -> ConfigError {
    authority.app_url("token").expect_err("a bad authority")
}

#[test]
fn a_tenant_of_the_public_cloud() {
    for tenant in [
        "contoso.onmicrosoft.com",
        "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
    ] {
        assert_eq!(
            endpoint(Authority::tenant(tenant)),
            format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")
        );
    }
}

#[test]
fn a_tenant_of_each_cloud() {
    for (cloud, host) in [
        (Cloud::China, "login.partner.microsoftonline.cn"),
        (Cloud::Public, "login.microsoftonline.com"),
        (Cloud::UsGovernment, "login.microsoftonline.us"),
    ] {
        let authority = Authority::in_cloud(cloud, "contoso.com");
        let token = format!("https://{host}/contoso.com/oauth2/v2.0/token");
        assert_eq!(endpoint(authority.clone()), token);
        let authorize = format!("https://{host}/contoso.com/oauth2/v2.0/authorize");
        assert_eq!(authority.user_url("authorize"), Ok(authorize));
        assert_eq!(
            error(Authority::in_cloud(cloud, "..")).field(),
            "authority.tenant"
        );
        assert_eq!(
            error(Authority::in_cloud(cloud, "common")).field(),
            "authority"
        );
    }
}

#[test]
fn a_person_may_sign_in_to_a_shared_tenant() {
    let url = Authority::default().user_url("authorize");
    let common = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize";
    assert_eq!(url.as_deref(), Ok(common));
}

#[test]
fn a_custom_url_keeps_its_path_and_loses_what_is_added_again() {
    for url in [
        "https://localhost:8443/a/t",
        "https://localhost:8443/a/t/",
        "https://localhost:8443/a/t/v2.0",
        "https://localhost:8443/a/t/v2.0/",
        "https://localhost:8443/a/t/oauth2/v2.0",
        "https://localhost:8443/a/t/oauth2/v2.0/token",
        "HTTPS://LOCALHOST:8443/a/t",
    ] {
        let wanted = "https://localhost:8443/a/t/oauth2/v2.0/token";
        assert_eq!(endpoint(Authority::custom(url)), wanted, "{url}");
    }
}

#[test]
fn ad_fs_has_no_version_in_its_path() {
    for url in [
        "https://fs.contoso.com/adfs",
        "https://fs.contoso.com/adfs/",
        "https://fs.contoso.com/adfs/oauth2",
        "https://fs.contoso.com/adfs/oauth2/token",
    ] {
        let authority = Authority::custom(url);
        let token = "https://fs.contoso.com/adfs/oauth2/token";
        assert_eq!(endpoint(authority.clone()), token, "{url}");
        let authorize = "https://fs.contoso.com/adfs/oauth2/authorize";
        assert_eq!(authority.user_url("authorize").as_deref(), Ok(authorize));
    }
}

#[test]
fn plain_http_reaches_only_this_machine() {
    for host in ["127.0.0.1", "127.9.9.9:1", "[::1]:8080", "localhost:8080"] {
        let wanted = format!("http://{host}/t/oauth2/v2.0/token");
        assert_eq!(
            endpoint(Authority::custom(format!("http://{host}/t"))),
            wanted
        );
    }
    for host in [
        "10.0.0.1",
        "login.example.com",
        "localhost.example.com",
        "[::2]",
    ] {
        let error = error(Authority::custom(format!("http://{host}/t")));
        assert_eq!(error.field(), "authority.url");
        assert!(error.to_string().contains("clear text"), "{error}");
        assert!(error.to_string().contains(host), "{error}");
    }
}

#[test]
fn a_shared_authority_is_refused_with_the_reason() {
    let shared = [
        Authority::default(),
        Authority::tenant("common"),
        Authority::tenant("Organizations"),
        Authority::custom("https://login.microsoftonline.us/common/"),
        Authority::custom("https://localhost:1/consumers/v2.0"),
    ];
    for authority in shared {
        let error = error(authority);
        assert_eq!(error.field(), "authority");
        assert!(error.to_string().contains("AADSTS9001023"), "{error}");
    }
    assert!(error(Authority::Default).to_string().contains("/common"));
}

#[test]
fn bad_tenants() {
    for tenant in [
        "", " ", "a/b", "a b", "a?b", "..", "-", "täna", "a\n", "a%2f",
    ] {
        let error = error(Authority::tenant(tenant));
        assert_eq!(error.field(), "authority.tenant", "{tenant:?}");
        assert!(error.to_string().contains("letters"), "{error}");
    }
}

#[test]
fn bad_urls_are_refused_and_never_shown_with_a_password() {
    for url in [
        "",
        " ",
        "contoso.com",
        "https:",
        "https://",
        "https:///tenant",
        "https://?x",
        "https://host name/t",
        "https://host\\t",
        "https://host/t\n",
        "https://host:99999/t",
        "ftp://host/t",
        "redis://host/t",
        "https://user:hunter2@host/t",
        "https://hunter2@host/t",
        "ftp://user:hunter2@host/t",
        "http://user:hunter2@host/t?hunter2",
        "https://user:hunter2@/t",
        "https://host/t?key=hunter2",
        "https://host/t#hunter2",
    ] {
        let error = error(Authority::custom(url));
        assert_eq!(error.field(), "authority.url", "{url:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(
            error.found().is_some_and(|found| !found.trim().is_empty()),
            "{url:?}"
        );
    }
}
