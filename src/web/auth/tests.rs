//! Which token opens what, and what is asked for when there is none?

use actix_web::ResponseError as _;
use actix_web::test::TestRequest;
use rstest::rstest;

use super::*;

fn check(token: Option<&str>, scope: Scope, (method, path): (Method, &str), headers: &[(&str, &str)]) -> u16 {
    let narrow = NarrowTokens { hook: "h00k".into(), plugin: "plug1n".into() };
    let access = Access::new(token.map(Into::into), narrow, &["nas.local".to_owned()]);
    let request = TestRequest::with_uri(path).method(method);
    let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
    let checked = access.check(&request.to_http_request(), scope);
    checked.map_or_else(|error| error.status_code().as_u16(), |()| 200)
}

#[rstest]
#[case::bearer(&[("authorization", "Bearer s3cret")], 200)]
#[case::own_header(&[("x-plexsync-token", "s3cret")], 200)]
#[case::basic(&[("authorization", "Basic YW55Ym9keTpzM2NyZXQ=")], 200)]
#[case::wrong(&[("authorization", "Bearer s3cret2")], 401)]
#[case::empty(&[("authorization", "Bearer ")], 401)]
#[case::not_base64(&[("authorization", "Basic ***")], 401)]
#[case::none(&[], 401)]
fn with_a_token_every_request_shows_it(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[values(Scope::Everything, Scope::PostEvents, Scope::ReadPlugin)] scope: Scope,
) {
    assert_eq!(check(Some("s3cret"), scope, (Method::POST, "/"), headers), status);
}

#[rstest]
#[case(Scope::PostEvents, "h00k", 200)]
#[case(Scope::PostEvents, "plug1n", 401)]
#[case(Scope::ReadPlugin, "plug1n", 200)]
#[case(Scope::ReadPlugin, "h00k", 401)]
#[case(Scope::Everything, "h00k", 401)]
#[case(Scope::Everything, "plug1n", 401)]
fn a_narrow_token_opens_its_one_thing(#[case] scope: Scope, #[case] token: &str, #[case] status: u16) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(check(Some("s3cret"), scope, (Method::POST, "/"), &headers), status);
}

#[rstest]
#[case(Scope::ReadPlugin, "/stash-plugin/index.yml?token=plug1n", 200)]
#[case(Scope::ReadPlugin, "/stash-plugin/index.yml?token=wrong", 401)]
#[case(Scope::ReadPlugin, "/stash-plugin/index.yml?tokens=plug1n", 401)]
#[case(Scope::PostEvents, "/webhooks/stash?token=h00k", 401)]
#[case(Scope::Everything, "/api/v1/status?token=s3cret", 401)]
fn a_token_in_the_query_reads_the_plugin_and_opens_nothing_else(
    #[case] scope: Scope,
    #[case] path: &str,
    #[case] status: u16,
) {
    assert_eq!(check(Some("s3cret"), scope, (Method::GET, path), &[]), status);
}

#[rstest]
#[case("localhost:8765", 200)]
#[case("127.0.0.1:8765", 200)]
#[case("[::1]:8765", 200)]
#[case("NAS.local", 200)]
#[case("evil.example:8765", 421)]
#[case("", 421)]
fn without_a_token_only_known_names_are_answered(#[case] host: &str, #[case] status: u16) {
    let headers = [("host", host)];
    assert_eq!(check(None, Scope::Everything, (Method::GET, "/"), &headers), status);
}

#[rstest]
#[case(Method::POST, "http://evil.example", 403)]
#[case(Method::POST, "null", 403)]
#[case(Method::POST, "http://localhost:8765", 200)]
#[case(Method::GET, "http://evil.example", 200)]
fn without_a_token_a_foreign_page_cannot_post(
    #[case] method: Method,
    #[case] origin: &str,
    #[case] status: u16,
) {
    let headers = [("host", "localhost"), ("origin", origin)];
    assert_eq!(check(None, Scope::PostEvents, (method, "/"), &headers), status);
}
