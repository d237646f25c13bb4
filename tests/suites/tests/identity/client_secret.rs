use redis_authx_emulator::Emulator;
use redis_authx_entraid::EntraIdentity;

use crate::contract::{Flow, identity_contract};

struct ClientSecret;

impl Flow for ClientSecret {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        emulator.client_secret_identity().unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        vec![emulator.client_secret().to_owned()]
    }
}

identity_contract!(ClientSecret);
