//! The one rhai engine of the process.

use std::sync::LazyLock;

use rhai::packages::{
    BasicArrayPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage, CorePackage, LogicPackage,
    MoreStringPackage, Package,
};
use rhai::{AST, Dynamic, OptimizationLevel, ParseError, Token};

use super::limits::{ARRAY_ITEMS, CALL_DEPTH, EXPRESSION_DEPTH, FUNCTIONS, MAP_ENTRIES, STRING_BYTES, VARIABLES};
use super::{call, functions, types};

/// A raw rhai engine with chosen packages, our types and host functions, and the limits that are the same for all scripts.
///
/// Building one costs about two milliseconds, so all kinds of script share it. What differs by kind (operations, time, host calls, which
/// host functions may be called) is held by the run's own state, see `call`.
#[derive(Debug)]
pub struct Engine {
    pub(super) rhai: rhai::Engine,
}

static SHARED: LazyLock<Engine> = LazyLock::new(Engine::build);

impl Engine {
    /// The engine of this process.
    pub fn shared() -> &'static Engine {
        &SHARED
    }

    fn build() -> Self {
        let mut engine = rhai::Engine::new_raw();
        CorePackage::new().register_into_engine(&mut engine);
        LogicPackage::new().register_into_engine(&mut engine);
        BasicMathPackage::new().register_into_engine(&mut engine);
        BasicArrayPackage::new().register_into_engine(&mut engine);
        BasicMapPackage::new().register_into_engine(&mut engine);
        BasicStringPackage::new().register_into_engine(&mut engine);
        BasicIteratorPackage::new().register_into_engine(&mut engine);
        MoreStringPackage::new().register_into_engine(&mut engine);

        // The optimizer folds constant maps and then panics on assigning to them (rhai 1.24 and later).
        engine.set_optimization_level(OptimizationLevel::None);
        engine.set_strict_variables(true);
        engine.set_fail_on_invalid_map_property(true);
        engine.set_max_call_levels(CALL_DEPTH);
        engine.set_max_string_size(STRING_BYTES);
        engine.set_max_array_size(ARRAY_ITEMS);
        engine.set_max_map_size(MAP_ENTRIES);
        engine.set_max_variables(VARIABLES);
        engine.set_max_functions(FUNCTIONS);
        engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
        engine.set_max_modules(0);
        engine.set_max_strings_interned(0);
        for word in ["eval", "import", "export", "Fn", "curry", "is_def_fn", "is_def_var", "is_shared", "spawn"] {
            engine.disable_symbol(word);
        }
        engine.on_print(|_| {});
        engine.on_debug(|_, _, _| {});
        engine.on_progress(|operations| call::progress(operations).map(Dynamic::from));
        #[expect(deprecated, reason = "rhai marks it volatile, the version is pinned")]
        engine.on_def_var(|is_runtime, info, context| call::define_variable(is_runtime, &info, &context));
        #[expect(deprecated, reason = "rhai marks it volatile, the version is pinned")]
        engine.on_var(|_, _, context| call::use_variable(&context));
        // `0.2` is a decimal, never a float: money is exact.
        #[expect(deprecated, reason = "rhai marks it volatile, the version is pinned")]
        engine.on_parse_token(|token, _, _| match token {
            Token::FloatConstant(float) => match float.1.parse::<rust_decimal::Decimal>() {
                Ok(number) => Token::DecimalConstant(Box::new((number, float.1.clone()))),
                Err(_) => Token::FloatConstant(float),
            },
            other => other,
        });
        types::register(&mut engine);
        functions::register(&mut engine);
        Self { rhai: engine }
    }

    pub(super) fn parse(&self, text: &str) -> Result<AST, ParseError> {
        self.rhai.compile(text)
    }
}
