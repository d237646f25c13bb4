//! Patterns as `KEYS` and `PSUBSCRIBE` take them: `*`, `?`, `[a-c]`, `[^a]`, and `\` before a
//! character that shall mean itself.

/// Whether `text` fits `pattern`. Goes back to the latest `*` only, so that the
/// time is bounded by the product of both lengths.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
        } else if let Some(next) = one(pattern, p, text[t]) {
            p = next;
            t += 1;
        } else if let Some((after_star, from)) = star {
            star = Some((after_star, from + 1));
            (p, t) = (after_star, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Where the pattern goes on if its element at `p` fits `byte`.
fn one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => class(pattern, p + 1, byte),
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1] == byte).then_some(p + 2),
        literal => (literal == byte).then_some(p + 1),
    }
}

fn class(pattern: &[u8], mut p: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(p) == Some(&b'^');
    p += usize::from(negated);
    let mut found = false;
    while let Some(&first) = pattern.get(p) {
        if first == b']' {
            break;
        }
        if first == b'\\' && p + 1 < pattern.len() {
            p += 1;
            found |= pattern[p] == byte;
        } else if pattern.get(p + 1) == Some(&b'-')
            && pattern.get(p + 2).is_some_and(|&end| end != b']')
        {
            let (low, high) = (first.min(pattern[p + 2]), first.max(pattern[p + 2]));
            found |= (low..=high).contains(&byte);
            p += 2;
        } else {
            found |= first == byte;
        }
        p += 1;
    }
    // A class that is not closed ends with the pattern.
    (found != negated).then_some((p + 1).min(pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_fit_as_in_redis() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("h?llo", "hallo", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hello", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c*", "xxaxxcxxbxx", false),
            ("[a", "a", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
        let nasty = "a*".repeat(50) + "b";
        assert!(!matches(nasty.as_bytes(), "a".repeat(2000).as_bytes()));
    }
}
