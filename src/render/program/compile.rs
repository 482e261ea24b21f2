//! Makes programs from parsed templates.

use std::collections::BTreeMap;

use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, Template};

use super::scope::{Base, Block, Param, Scope};
use super::{Expr, Function, Partial, Program, Start, Step, Text, Unsupported};
use crate::render::value::Value;
use crate::render::variables::Variables;
use crate::render::writer::{Lines, Writer};
use crate::render::{Flavour, helpers};

/// Partials within partials at most: each call is written out, so that names are known at its place.
const DEPTH_MAX: usize = 16;
/// Elements at most, partials written out: beyond, programs would take more memory than they save time.
const ELEMENTS_MAX: usize = 50_000;

/// Makes the program of a template that is registered under this name.
pub(in crate::render) fn compile(
    registry: &Handlebars<'static>,
    name: &str,
    flavour: Flavour,
    variables: &Variables,
) -> Result<Program, Unsupported> {
    let template = registry.get_template(name).ok_or(Unsupported)?;
    let mut compiler = Compiler {
        registry,
        flavour,
        scope: Scope::new(variables)?,
        depth: 0,
        elements: 0,
        size: 0,
    };
    let steps = compiler.template(template)?;
    Ok(Program {
        steps,
        size: compiler.size,
    })
}

struct Compiler<'t> {
    registry: &'t Handlebars<'static>,
    flavour: Flavour,
    scope: Scope<'t>,
    depth: usize,
    elements: usize,
    size: usize,
}

type Steps = Result<Vec<Step>, Unsupported>;

impl Compiler<'_> {
    fn template(&mut self, template: &Template) -> Steps {
        let mut steps = Vec::new();
        self.append(template, &mut steps)?;
        Ok(steps)
    }

    fn append(&mut self, template: &Template, steps: &mut Vec<Step>) -> Result<(), Unsupported> {
        self.elements += template.elements.len();
        if self.elements > ELEMENTS_MAX {
            return Err(Unsupported);
        }
        for element in &template.elements {
            match element {
                TemplateElement::RawString(text) => self.text(text, steps),
                TemplateElement::Comment(_) => {}
                TemplateElement::Expression(call) => {
                    let value = self.expression(call)?;
                    let is_escaped = self.flavour == Flavour::Html;
                    steps.push(Step::Show { value, is_escaped });
                }
                TemplateElement::HtmlExpression(call) => {
                    let value = self.expression(call)?;
                    let is_escaped = false;
                    steps.push(Step::Show { value, is_escaped });
                }
                TemplateElement::HelperBlock(block) => steps.push(self.block(block)?),
                TemplateElement::PartialExpression(call) => self.partial(call, steps)?,
                // Decorators and partials with blocks change what partials are called.
                _ => return Err(Unsupported),
            }
        }
        Ok(())
    }

    /// Texts beside each other become one.
    fn text(&mut self, text: &str, steps: &mut Vec<Step>) {
        let canonical = Writer {
            is_escaped: false,
            lines: Lines::Canonical,
        };
        self.size += text.len();
        if !matches!(steps.last(), Some(Step::Text(_))) {
            steps.push(Step::Text(Text::default()));
        }
        if let Some(Step::Text(last)) = steps.last_mut() {
            last.written.push_str(text);
            canonical.write(text, &mut last.canonical);
        }
    }

    /// `{{name}}` or `{{helper argument}}`.
    fn expression(&self, call: &HelperTemplate) -> Result<Expr, Unsupported> {
        if !call.params.is_empty() || !call.hash.is_empty() {
            return self.call(call);
        }
        let Parameter::Path(path) = &call.name else {
            return Err(Unsupported);
        };
        let name = call.name.as_name().unwrap_or_default();
        if is_helper(name) {
            return self.named(name);
        }
        self.scope.path(path)
    }

    fn call(&self, call: &HelperTemplate) -> Result<Expr, Unsupported> {
        let Parameter::Name(name) = &call.name else {
            return Err(Unsupported);
        };
        let (least, most) = helpers::arguments(name).ok_or(Unsupported)?;
        if !call.hash.is_empty() || call.params.len() < least || call.params.len() > most {
            return Err(Unsupported);
        }
        let arguments = call.params.iter().map(|param| self.param(param));
        Ok(Expr::Call(function(name)?, arguments.collect::<Result<_, _>>()?))
    }

    /// A helper of ours without arguments: the variable of its name.
    fn named(&self, name: &str) -> Result<Expr, Unsupported> {
        if !helpers::OURS.contains(&name) {
            return Err(Unsupported);
        }
        let (here, number) = self.scope.name(name)?;
        Ok(Expr::Named(Box::new(here), number))
    }

    fn param(&self, param: &Parameter) -> Result<Expr, Unsupported> {
        match param {
            Parameter::Path(path) => self.scope.path(path),
            Parameter::Literal(literal) => Ok(Expr::Literal(Value::from(literal).into_owned())),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) if call.params.is_empty() && call.hash.is_empty() => {
                    self.named(call.name.as_name().ok_or(Unsupported)?)
                }
                TemplateElement::Expression(call) => self.call(call),
                _ => Err(Unsupported),
            },
            _ => Err(Unsupported),
        }
    }

    fn block(&mut self, block: &HelperTemplate) -> Result<Step, Unsupported> {
        let (Parameter::Name(name), [param], true) =
            (&block.name, block.params.as_slice(), block.hash.is_empty())
        else {
            return Err(Unsupported);
        };
        let value = self.param(param)?;
        let body = block.template.as_ref();
        let otherwise = block.inverse.as_ref();
        match name.as_str() {
            "if" => Ok(Step::If {
                condition: value,
                halves: [self.half(body)?, self.half(otherwise)?],
            }),
            "unless" => Ok(Step::If {
                condition: value,
                halves: [self.half(otherwise)?, self.half(body)?],
            }),
            "each" => {
                let body = self.each(block, body.ok_or(Unsupported)?)?;
                let otherwise = otherwise.map(|inner| self.template(inner)).transpose()?;
                Ok(Step::Each {
                    list: value,
                    body,
                    otherwise,
                })
            }
            "with" => {
                let body = self.with(block, body)?;
                let otherwise = otherwise.map(|inner| self.template(inner)).transpose()?;
                Ok(Step::With {
                    value,
                    body,
                    otherwise,
                })
            }
            _ => Err(Unsupported),
        }
    }

    fn half(&mut self, template: Option<&Template>) -> Steps {
        template.map_or(Ok(Vec::new()), |template| self.template(template))
    }

    fn each(&mut self, block: &HelperTemplate, body: &Template) -> Steps {
        let frame = self.scope.next_frame();
        let name = |param: &Parameter| param.as_name().map(str::to_owned).ok_or(Unsupported);
        let params = match &block.block_param {
            None => Vec::new(),
            Some(BlockParam::Single(element)) => vec![(name(element)?, Param::Element(frame))],
            // Of two of the same name the second one counts.
            Some(BlockParam::Pair((element, key))) => {
                vec![
                    (name(key)?, Param::Key(frame)),
                    (name(element)?, Param::Element(frame)),
                ]
            }
            Some(_) => return Err(Unsupported),
        };
        self.scope.enter_frame(Block {
            base: Base::Frame(frame),
            locals: Some(frame),
            params,
            is_mixed: false,
        });
        let steps = self.template(body);
        self.scope.leave_frame();
        steps
    }

    fn with(&mut self, block: &HelperTemplate, body: Option<&Template>) -> Steps {
        let frame = self.scope.next_frame();
        let params = match &block.block_param {
            Some(BlockParam::Single(element)) => {
                let name = element.as_name().ok_or(Unsupported)?;
                vec![(name.to_owned(), Param::Element(frame))]
            }
            _ => Vec::new(),
        };
        let locals = self.scope.innermost()?.locals;
        self.scope.enter_frame(Block {
            base: Base::Frame(frame),
            locals,
            params,
            is_mixed: false,
        });
        let steps = self.half(body);
        self.scope.leave_frame();
        steps
    }

    /// `{{> button order label=name}}`, written out where it is called.
    fn partial(&mut self, call: &DecoratorTemplate, steps: &mut Vec<Step>) -> Result<(), Unsupported> {
        let name = match &call.name {
            Parameter::Name(_) | Parameter::Path(_) => call.name.as_name().ok_or(Unsupported)?,
            _ => return Err(Unsupported),
        };
        let registry = self.registry;
        let template = registry.get_template(name).ok_or(Unsupported)?;
        if self.depth == DEPTH_MAX
            || call.template.is_some()
            || call.indent.is_some()
            || call.params.len() > 1
        {
            return Err(Unsupported);
        }
        self.depth += 1;
        let outer = self.scope.innermost()?.clone();
        if call.params.is_empty() && call.hash.is_empty() {
            self.scope.enter(Block {
                params: Vec::new(),
                ..outer
            });
            self.append(template, steps)?;
            self.scope.leave();
        } else {
            steps.push(self.partial_with(call, template, &outer)?);
        }
        self.depth -= 1;
        Ok(())
    }

    /// A partial that is called with a value, or with values that have names.
    fn partial_with(
        &mut self,
        call: &DecoratorTemplate,
        template: &Template,
        outer: &Block,
    ) -> Result<Step, Unsupported> {
        let base = match call.params.first() {
            Some(param) => Some(self.param(param)?),
            // A mixed base is none that could be mixed again.
            None => match outer.base {
                Base::Root => None,
                Base::Frame(_) if outer.is_mixed => return Err(Unsupported),
                Base::Frame(frame) => {
                    Some(Expr::Path(Start::Element(self.scope.outwards(frame)), Vec::new()))
                }
            },
        };
        let hash: BTreeMap<&String, &Parameter> = call.hash.iter().collect();
        let frame = self.scope.next_frame();
        let mut arguments = Vec::new();
        let mut params = Vec::new();
        for (place, (name, param)) in hash.into_iter().enumerate() {
            arguments.push(self.param(param)?);
            params.push((name.clone(), Param::Argument(frame, place)));
        }
        let is_mixed = !arguments.is_empty() || (base.is_none() && outer.is_mixed);
        self.scope.enter_frame(Block {
            base: if base.is_some() {
                Base::Frame(frame)
            } else {
                Base::Root
            },
            locals: outer.locals,
            params,
            is_mixed,
        });
        let body = self.template(template)?;
        self.scope.leave_frame();
        Ok(Step::Partial(Partial {
            base,
            arguments,
            body,
        }))
    }
}

/// Is there a helper of this name? Then `{{name}}` calls it.
fn is_helper(name: &str) -> bool {
    helpers::OURS.contains(&name) || helpers::INLINE.contains(&name) || helpers::BLOCKS.contains(&name)
}

fn function(name: &str) -> Result<Function, Unsupported> {
    Ok(match name {
        "and" => Function::And,
        "or" => Function::Or,
        "not" => Function::Not,
        "eq" => Function::Eq,
        "ne" => Function::Ne,
        "gt" => Function::Gt,
        "gte" => Function::Gte,
        "lt" => Function::Lt,
        "lte" => Function::Lte,
        "len" => Function::Len,
        "lookup" => Function::Lookup,
        name if helpers::OURS.contains(&name) => Function::Ours(helpers::function(name)),
        _ => return Err(Unsupported),
    })
}
