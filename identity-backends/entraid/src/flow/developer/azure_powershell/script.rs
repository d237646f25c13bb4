//! What PowerShell is given to run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Begins the line that holds the token, then its expiry in seconds since 1970.
pub(super) const MARK: &str = "redis-authx%";
/// Printed when there is no module that could get one.
pub(super) const NO_MODULE: &str = "redis-authx!no-module";

/// `-AsSecureString` came with Az.Accounts 2.17 and is the default since 5.0;
/// a token in that form is taken out of it (Microsoft Learn,
/// "Get-AzAccessToken").
const SCRIPT: &str = r#"
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$module = Import-Module Az.Accounts -MinimumVersion 2.2.0 -PassThru -ErrorAction SilentlyContinue
if (! $module) {
    Write-Output 'redis-authx!no-module'
    exit
}
$parameters = @{ ResourceUrl = '{resource}'; WarningAction = 'Ignore' }
if ('{tenant}' -ne '') { $parameters['TenantId'] = '{tenant}' }
$secure = $module.Version -ge [version]'2.17.0' -and $module.Version -lt [version]'5.0.0'
if ($secure) { $parameters['AsSecureString'] = $true }
$answer = Get-AzAccessToken @parameters
$token = $answer.Token
if ($token -is [System.Security.SecureString]) {
    $pointer = [Runtime.InteropServices.Marshal]::SecureStringToBSTR($token)
    try { $token = [Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer) }
    finally { [Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer) }
}
Write-Output ('redis-authx%' + $token + '%' + $answer.ExpiresOn.ToUnixTimeSeconds())
"#;

/// The script as `-EncodedCommand` wants it: base64 of UTF-16LE (Microsoft
/// Learn, "about_Pwsh"). `scope` and `tenant` have been checked: they hold
/// nothing that ends a quoted text.
pub(super) fn of(scope: &str, tenant: Option<&str>) -> String {
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let script = SCRIPT
        .replace("{resource}", resource)
        .replace("{tenant}", tenant.unwrap_or_default());
    let utf16: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(utf16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(scope: &str, tenant: Option<&str>) -> String {
        let bytes = STANDARD.decode(of(scope, tenant)).expect("base64");
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units).expect("UTF-16")
    }

    #[test]
    fn the_resource_and_the_tenant_are_filled_in() {
        let text = script(crate::REDIS_SCOPE_DEFAULT, Some("contoso.com"));
        assert!(text.contains("ResourceUrl = 'https://redis.azure.com';"));
        assert!(text.contains("['TenantId'] = 'contoso.com'"));
        assert!(!text.contains('{') || !text.contains("{tenant}"));
        assert!(script("a/.default", None).contains("if ('' -ne '')"));
    }

    #[test]
    fn the_marks_are_those_that_are_looked_for() {
        assert!(SCRIPT.contains(&format!("('{MARK}' + $token")));
        assert!(SCRIPT.contains(&format!("'{NO_MODULE}'")));
    }
}
