//! Whatever the service sends: a token or an error, never a panic, and never
//! an error that quotes it.

mod common;

use common::*;
use redis_authx_entraid::{Claims, HttpResponse};

/// xorshift64: the same changes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// One to four bytes changed, cut out or put in.
    fn change(&mut self, text: &str) -> Vec<u8> {
        const LIKELY: &[u8] = b"\"{}[]:,.\\ue-+0919tfn\r\n\0=_\xff\xc3";
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let byte = LIKELY[self.below(LIKELY.len())];
            match self.below(4) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        bytes
    }
}

#[test]
fn replies() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let token = format!(
        r#"{{"expires_in":3599,"access_token":"{}"}}"#,
        access_token(3600)
    );
    let error = r#"{"error":"invalid_client","error_description":"AADSTS7000215: hunter2","error_codes":[7000215],"trace_id":"0b1f6471-1bf0-4dda-aec3-cb9272f09590"}"#;
    for _ in 0..20_000 {
        let status = [200, 400, 429, 503][random.below(4)];
        let body = if status == 200 { token.as_str() } else { error };
        let answer = HttpResponse::new(status)
            .with_header(
                "Date",
                String::from_utf8_lossy(&random.change("Sun, 06 Nov 1994 08:49:37 GMT")),
            )
            .with_header(
                "Retry-After",
                String::from_utf8_lossy(&random.change("120")),
            )
            .with_body(random.change(body));
        match ask(answer) {
            Ok(token) => assert!(!left(&token).is_zero()),
            Err(error) => {
                let shown = everything(&error);
                assert!(
                    !shown.contains("hunter2") && !shown.contains("eyJ"),
                    "{shown}"
                );
                assert!(
                    shown.chars().all(|c| c == '\n' || !c.is_control()),
                    "{shown:?}"
                );
            }
        }
    }
}

#[test]
fn claims() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let payload = format!(r#"{{"oid":"{OID}","exp":1760003600.5,"iat":1760000000,"tid":"t"}}"#);
    for _ in 0..20_000 {
        let changed = random.change(&payload);
        let token = jwt(&String::from_utf8_lossy(&changed));
        if let Ok(claims) = Claims::parse(&token) {
            let name = claims.oid().unwrap_or("x");
            assert!(!name.is_empty() && !name.contains(char::is_control));
            let _ = (claims.exp(), claims.iat(), claims.tid());
        }
        let _ = Claims::parse(&String::from_utf8_lossy(&random.change(&token)));
    }
}
