//! What names mean at one place of a template. Blocks nest as they are written, so that this is known before any
//! recipient is: every path becomes a variable's number, or so many frames outwards.
//!
//! The rules are those of the `handlebars` crate, its odd ones included: a block parameter is found before anything
//! else, even behind `../`, and `../` beyond the outermost block is the innermost one.

use handlebars::{Path, PathSeg};

use super::{Expr, Local, Start, Unsupported};
use crate::render::variables::Variables;

/// Where the names of a block belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// To the recipient.
    Root,
    /// To the value of a frame, counted from the outside.
    Frame(usize),
}

/// What a block calls by a name of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param {
    /// `as |order|`: the value of a frame.
    Element(usize),
    /// `as |order key|`: the index or the key of a frame.
    Key(usize),
    /// `{{> button label=name}}`: one of the values that a partial was called with.
    Argument(usize, usize),
}

/// A block that names can refer to.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) base: Base,
    /// The frame whose `@index` is seen here.
    pub(super) locals: Option<usize>,
    pub(super) params: Vec<(String, Param)>,
    /// The base is mixed with a partial's arguments: as a whole it is neither.
    pub(super) is_mixed: bool,
}

/// The blocks around a place, from the outside in.
#[derive(Debug)]
pub(super) struct Scope<'t> {
    variables: &'t Variables,
    blocks: Vec<Block>,
    /// Frames there are at this place when the program runs.
    frames: usize,
    up: PathSeg,
    root: PathSeg,
}

impl<'t> Scope<'t> {
    pub(super) fn new(variables: &'t Variables) -> Result<Self, Unsupported> {
        Ok(Self {
            variables,
            blocks: vec![Block {
                base: Base::Root,
                locals: None,
                params: Vec::new(),
                is_mixed: false,
            }],
            frames: 0,
            up: first_segment("../x")?,
            root: first_segment("@root/x")?,
        })
    }

    /// The number that the next frame has.
    pub(super) fn next_frame(&self) -> usize {
        self.frames
    }

    /// The innermost block.
    pub(super) fn innermost(&self) -> Result<&Block, Unsupported> {
        self.blocks.last().ok_or(Unsupported)
    }

    /// Enters a block that has a frame when the program runs.
    pub(super) fn enter_frame(&mut self, block: Block) {
        self.frames += 1;
        self.blocks.push(block);
    }

    pub(super) fn leave_frame(&mut self) {
        self.frames -= 1;
        self.blocks.pop();
    }

    /// Enters a block that is only a block for names.
    pub(super) fn enter(&mut self, block: Block) {
        self.blocks.push(block);
    }

    pub(super) fn leave(&mut self) {
        self.blocks.pop();
    }

    /// What a path leads to.
    pub(super) fn path(&self, path: &Path) -> Result<Expr, Unsupported> {
        match path {
            Path::Local((level, name, _)) => Ok(self.local(*level, name)),
            Path::Relative((segments, _)) => self.relative(segments),
        }
    }

    /// What a plain name leads to, and the recipient's variable of this name.
    pub(super) fn name(&self, name: &str) -> Result<(Expr, Option<usize>), Unsupported> {
        let here = self.relative(&[PathSeg::Named(name.to_owned())])?;
        Ok((here, self.variables.number(name)))
    }

    fn local(&self, level: usize, name: &str) -> Expr {
        let block = self.blocks.iter().rev().nth(level);
        let frame = block.and_then(|block| block.locals);
        let local = match name {
            "index" => Local::Index,
            "first" => Local::First,
            "last" => Local::Last,
            "key" => Local::Key,
            _ => return Expr::Missing,
        };
        frame.map_or(Expr::Missing, |frame| Expr::Local(self.outwards(frame), local))
    }

    fn relative(&self, segments: &[PathSeg]) -> Result<Expr, Unsupported> {
        let ups = segments.iter().take_while(|segment| **segment == self.up).count();
        let first = segments.get(ups);
        let is_root = first == Some(&self.root);
        let known = segments.iter().all(|segment| {
            matches!(segment, PathSeg::Named(_)) || *segment == self.up || *segment == self.root
        });
        if !known {
            return Err(Unsupported);
        }
        let keys: Vec<String> = segments
            .iter()
            .filter_map(|segment| match segment {
                PathSeg::Named(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        if let Some(PathSeg::Named(name)) = first
            && let Some(param) = self.param(name)
        {
            return Ok(self.in_param(param, keys.into_iter().skip(1).collect()));
        }
        if is_root {
            return self.in_base(Base::Root, false, keys);
        }
        let block = self.blocks.iter().rev().nth(ups);
        let block = block.or(self.blocks.last()).ok_or(Unsupported)?;
        self.in_base(block.base, block.is_mixed, keys)
    }

    fn param(&self, name: &str) -> Option<Param> {
        let params = self.blocks.iter().rev().flat_map(|block| &block.params);
        params
            .filter(|(own, _)| own == name)
            .map(|(_, param)| *param)
            .next()
    }

    fn in_param(&self, param: Param, keys: Vec<String>) -> Expr {
        let start = match param {
            Param::Element(frame) => Start::Element(self.outwards(frame)),
            Param::Argument(frame, place) => Start::Argument(self.outwards(frame), place),
            // An index and a key have no parts.
            Param::Key(_) if !keys.is_empty() => return Expr::Missing,
            Param::Key(frame) => return Expr::Local(self.outwards(frame), Local::KeyOrIndex),
        };
        Expr::Path(start, keys)
    }

    fn in_base(&self, base: Base, is_mixed: bool, mut keys: Vec<String>) -> Result<Expr, Unsupported> {
        match base {
            // As a whole the recipient is an object, which programs have no value for.
            _ if keys.is_empty() && (is_mixed || base == Base::Root) => Err(Unsupported),
            Base::Root => {
                let number = keys.first().and_then(|name| self.variables.number(name));
                Ok(number.map_or(Expr::Missing, |number| {
                    Expr::Path(Start::Variable(number), keys.split_off(1))
                }))
            }
            Base::Frame(frame) => Ok(Expr::Path(Start::Element(self.outwards(frame)), keys)),
        }
    }

    /// How many frames outwards a frame is from here.
    pub(super) fn outwards(&self, frame: usize) -> usize {
        self.frames - 1 - frame
    }
}

/// The crate does not let its rules be named, but compared.
fn first_segment(path: &str) -> Result<PathSeg, Unsupported> {
    match Path::parse(path) {
        Ok(Path::Relative((segments, _))) => segments.into_iter().next().ok_or(Unsupported),
        Ok(Path::Local(_)) | Err(_) => Err(Unsupported),
    }
}
