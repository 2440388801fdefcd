//! API keys, and whose they are.

use ting_store::Account;

/// The account of `authorization`, the value of the header, if it holds one of `keys`. Without keys everyone is let in, with one
/// account for all.
///
/// Clients send `Bearer KEY`, `bearer KEY`, and the key alone.
pub(crate) fn account(keys: &[String], authorization: Option<&[u8]>) -> Option<Account> {
    if keys.is_empty() {
        return Some(Account::Everyone);
    }
    let value = authorization?;
    let value = value.trim_ascii();
    let given = match value.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key.trim_ascii(),
        _ => value,
    };
    // Every key is compared, so that the time does not tell which one is close.
    keys.iter().fold(None, |found, key| {
        let same = same(key.as_bytes(), given);
        found.or_else(|| same.then(|| Account::Key(key.clone())))
    })
}

/// Compares in a time that depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::account;
    use ting_store::Account;

    #[test]
    fn keys_are_found_in_every_form_clients_send() {
        struct Case {
            keys: &'static [&'static str],
            header: Option<&'static str>,
            want: Option<Account>,
        }
        let key = |key: &str| Some(Account::Key(key.to_owned()));
        let case = |keys, header, want| Case { keys, header, want };
        let cases = [
            case(&[], None, Some(Account::Everyone)),
            case(&[], Some("Bearer anything"), Some(Account::Everyone)),
            case(&["sk-1"], Some("Bearer sk-1"), key("sk-1")),
            case(&["sk-1"], Some("bearer sk-1"), key("sk-1")),
            case(&["sk-1"], Some("BEARER  sk-1 "), key("sk-1")),
            case(&["sk-1"], Some("sk-1"), key("sk-1")),
            case(&["sk-1", "sk-2"], Some("Bearer sk-2"), key("sk-2")),
            case(&["sk-1"], None, None),
            case(&["sk-1"], Some(""), None),
            case(&["sk-1"], Some("Bearer "), None),
            case(&["sk-1"], Some("Bearer sk-12"), None),
            case(&["sk-1"], Some("Bearer SK-1"), None),
            case(&["sk-1"], Some("Basic sk-1"), None),
        ];
        let mut failures = Vec::new();
        for case in cases {
            let keys: Vec<String> = case.keys.iter().map(|&key| key.to_owned()).collect();
            let got = account(&keys, case.header.map(str::as_bytes));
            if got != case.want {
                failures.push(format!("{:?} {:?}: got {got:?}", case.keys, case.header));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
