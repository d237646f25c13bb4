//! The methods that the builders of the tools have in common. Each is a struct
//! with the fields `settings: Settings` and `tool: ToolSettings`.

macro_rules! tool_setters {
    () => {
        /// Looked for in the `PATH` of this environment.
        pub(in crate::flow) fn in_environment(
            settings: &Settings,
            environment: &$crate::environment::Environment,
        ) -> Self {
            let mut builder = Self::new();
            builder.settings = settings.clone();
            builder.tool.environment = environment.clone();
            builder
        }

        reader_setters! {}

        /// The tenant to get a token of: its id or a domain. Default: the one
        /// that the tool is signed in to.
        pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
            self.tool.tenant = Some(tenant.into());
            self
        }

        /// The tool's program file, by an absolute path. Default: looked for in
        /// the absolute folders of `PATH` at each request.
        pub fn program(mut self, path: impl Into<::std::path::PathBuf>) -> Self {
            self.tool.program = Some(path.into());
            self
        }

        /// How long the tool may take before it is ended. Default: 8 s. The
        /// manager's own limit,
        /// [`request_timeout`](redis_authx::RefreshPolicyBuilder::request_timeout),
        /// should be longer.
        pub fn time_limit(mut self, limit: ::std::time::Duration) -> Self {
            self.tool.time_limit = limit;
            self
        }
    };
}
