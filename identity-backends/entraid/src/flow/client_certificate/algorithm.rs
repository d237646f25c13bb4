/// How a client assertion is signed, and how it names its certificate (RFC 7518
/// §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssertionAlgorithm {
    /// RSASSA-PSS with SHA-256, and the SHA-256 thumbprint as `x5t#S256`: what
    /// Microsoft Entra ID recommends. The default.
    #[default]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, and the SHA-1 thumbprint as `x5t`: for
    /// authorities of the kind of AD FS, which know no other. Entra ID takes it
    /// too. It is never chosen by itself: an authority's URL does not tell what
    /// stands behind it.
    Rs256,
}
