//! Finds code that makes a job's grant. Such a grant opens the hub without admission, so code that serves
//! clients must not make one.

use syn::Macro;
use syn::visit::{self, Visit};

use crate::imports::{File, is_test_file, is_test_item};

/// The folders of the gateway that serve clients.
const FOR_CLIENTS: [&str; 3] = ["edges", "http", "api"];

/// The functions that make a grant without admission.
const FOR_JOBS: &str = "for_job";

/// Returns the files that serve clients and name [`FOR_JOBS`] outside test code.
pub(crate) fn without_admission(files: &[File]) -> Vec<String> {
    let serves = |file: &&File| {
        let module = file.module();
        FOR_CLIENTS.iter().any(|folder| module.first().is_some_and(|first| first == folder))
    };
    let names = |file: &&File| {
        let mut visitor = Names(false);
        visitor.visit_file(&file.parse());
        visitor.0
    };
    let files = files.iter().filter(|file| !is_test_file(file));
    files.filter(serves).filter(names).map(|file| file.name.clone()).collect()
}

/// Whether the function was named.
struct Names(bool);

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_ident(&mut self, ident: &'ast syn::Ident) {
        self.0 |= ident == FOR_JOBS;
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // The arguments are only tokens, and strings among them do not name functions in practice.
        let tokens = call.tokens.to_string();
        self.0 |= tokens.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == FOR_JOBS);
        visit::visit_macro(self, call);
    }
}
