//! Where does an answer send whoever asked, and is that a login?

use url::Url;

/// What a redirect says, fit to be told: without user, query and fragment, where secrets stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The address that it leads to.
    pub target: String,
    /// The peer's own address, where the redirect says that the same question is answered below another one.
    pub moved_to: Option<String>,
    /// Whether somebody is to log in there.
    pub is_login: bool,
}

impl Redirect {
    /// `asked` was asked of the peer at `base`, and the answer leads to `location`.
    pub(super) fn new(base: &Url, asked: &Url, location: &str) -> Option<Self> {
        let target = asked.join(location).ok().filter(Url::has_host)?;
        // What belongs to the peer's own address says nothing, were it named like a login itself.
        let own = base.path().trim_end_matches('/');
        let path = target.path().strip_prefix(own).unwrap_or(target.path());
        let elsewhere = target.host_str().filter(|host| Some(*host) != base.host_str());
        let is_login = is_login(path) || elsewhere.is_some_and(is_login);
        let question = asked.path().strip_prefix(own).unwrap_or(asked.path()).trim_end_matches('/');
        let below = target.path().trim_end_matches('/').strip_suffix(question);
        let moved_to = below.filter(|_| !is_login).map(|below| told(&target, below));
        let moved_to = moved_to.filter(|moved| *moved != told(base, own));
        Some(Self { target: told(&target, target.path()), moved_to, is_login })
    }
}

/// An address with another path.
fn told(url: &Url, path: &str) -> String {
    format!("{}{path}", url.origin().ascii_serialization())
}

/// Whether a host or a path is named like the places where people log in. Words are looked at as a whole where they
/// stand in others, too: a lesson is no SSO, and an author needs no authorisation.
fn is_login(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_one = |word: &str| {
        let authority =
            word.starts_with("auth") && (!word.starts_with("author") || word.starts_with("authori"));
        authority || word.starts_with("oauth") || matches!(word, "sso" | "saml" | "saml2")
    };
    ["login", "logon", "signin", "sign-in", "sign_in", "authentik"].iter().any(|word| text.contains(word))
        || text.split(|character: char| !character.is_ascii_alphanumeric()).any(is_one)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn redirect(base: &str, question: &str, location: &str) -> Option<Redirect> {
        let base: Url = base.parse().unwrap();
        let asked = super::super::below(&base, &[question]);
        Redirect::new(&base, &asked, location)
    }

    #[rstest]
    #[case("/login")]
    #[case("/login?returnURL=%2F")]
    #[case("login")]
    #[case("https://example.org/users/sign_in")]
    #[case("https://sso.example.org/?rd=https%3A%2F%2Fplex")]
    #[case("https://auth.example.org/identity")]
    #[case("https://example.org/outpost.goauthentik.io/start")]
    #[case("https://team.example/cdn-cgi/access/login/plex")]
    #[case("https://example.org/o/oauth2/v2/auth")]
    #[case("https://example.org/SAML2/redirect")]
    #[case("https://example.org/authorize")]
    fn a_place_to_log_in_is_known_by_its_name(#[case] location: &str) {
        let redirect = redirect("http://plex:32400", "identity", location).unwrap();
        assert!(redirect.is_login, "{redirect:?}");
        assert_eq!(redirect.moved_to, None);
    }

    #[rstest]
    #[case("https://plex.example/web/index.html")]
    #[case("https://plex.example/authors/lesson")]
    #[case("/index?login=1")]
    fn other_places_are_not(#[case] location: &str) {
        let redirect = redirect("http://plex:32400", "identity", location).unwrap();
        assert!(!redirect.is_login, "{redirect:?}");
        assert_eq!(redirect.moved_to, None);
    }

    #[rstest]
    #[case("http://h:1", "https://h:2/identity", "https://h:2")]
    #[case("http://h:1/", "/plex/identity/", "http://h:1/plex")]
    #[case("http://h:1/plex", "https://h/plex/identity?x=1", "https://h/plex")]
    #[case("http://h:1/plex", "/identity", "http://h:1")]
    #[case("http://login.h:1/auth/", "https://login.h:1/auth/identity", "https://login.h:1/auth")]
    fn who_answers_the_same_elsewhere_has_moved(
        #[case] base: &str,
        #[case] location: &str,
        #[case] to: &str,
    ) {
        let redirect = redirect(base, "identity", location).unwrap();
        assert_eq!(redirect.moved_to.as_deref(), Some(to), "{redirect:?}");
        assert!(!redirect.is_login);
    }

    #[test]
    fn a_redirect_to_itself_moves_nobody() {
        assert_eq!(redirect("http://h:1/", "identity", "/identity?again=1").unwrap().moved_to, None);
    }

    #[test]
    fn neither_user_nor_query_is_told() {
        let redirect = redirect("http://me:s3cret@h/", "x", "http://you:s3cret@i/y?t=s3cret#s3cret").unwrap();
        assert_eq!(redirect.target, "http://i/y");
        assert!(!format!("{redirect:?}").contains("s3cret"));
    }

    #[rstest]
    #[case("mailto:me@example.org")]
    #[case("http://[")]
    fn what_leads_nowhere_is_no_redirect(#[case] location: &str) {
        assert_eq!(redirect("http://h/", "x", location), None);
    }
}
