package config

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/zookit/zookit/client"
)

// Binding joins the fields of a struct with environment variables and flags, for [WithBinding]. What is in force for
// each field is, the first that there is:
//
//  1. the flag, if it was given on the command line;
//  2. the document, if it mentions the field;
//  3. the environment variable, if it is set;
//  4. the default.
//
// Who starts a program with a flag wants that, come what may; the environment, which deployments set for many
// programs, is a default that the document overrides. Environment and flags are read when a value comes into
// force, so that flags may be parsed after [Bind] and before [Watch].
type Binding[T any] struct {
	defaults T
	fields   []field
	prefix   string
	flags    *flag.FlagSet
	lookup   func(string) (string, bool)
}

// Bind binds the fields of defaults, a struct, and defines a flag in flags for each, unless it is nil. Fields are named
// as in JSON (by their json tags): MaxConns with `json:"max_conns"` is flag -max-conns and, with envPrefix APP,
// variable APP_MAX_CONNS. Fields of structs within are joined by a dot in flags and an underscore in variables. An env or
// flag tag gives another name, "-" none; a usage tag is the flag's help. Without an envPrefix only fields with an env tag have variables.
//
// Fields are booleans, numbers, strings, time.Duration, slices of these (with commas between) and what
// implements encoding.TextUnmarshaler. Other exported fields are left to the document. Errors: client.ErrBadArgument, if defaults is no
// struct, or a name is used twice or defined in flags already.
func Bind[T any](defaults T, envPrefix string, flags *flag.FlagSet) (*Binding[T], error) {
	b := &Binding[T]{defaults: deepCopy(defaults), prefix: envPrefix, flags: flags, lookup: os.LookupEnv}
	fields, err := fieldsOf(&b.defaults)
	if err != nil {
		return nil, err
	}
	b.fields = fields
	if err := b.check(); err != nil {
		return nil, err
	}
	if flags != nil {
		for _, f := range fields {
			if name := f.flagName(); name != "" {
				flags.Var(&flagValue{field: f, text: f.text(&b.defaults)}, name, f.usage)
			}
		}
	}
	return b, nil
}

// check finds names that are used twice.
func (b *Binding[T]) check() error {
	seen := map[string]string{}
	for _, f := range b.fields {
		for _, name := range []string{"flag -" + f.flagName(), "environment variable " + f.envName(b.prefix)} {
			if strings.HasSuffix(name, " -") || strings.HasSuffix(name, " ") {
				continue
			}
			if other, ok := seen[name]; ok {
				return fmt.Errorf("%w: fields %s and %s are both bound to %s", client.ErrBadArgument, other, f.name, name)
			}
			seen[name] = f.name
		}
		if b.flags != nil && f.flagName() != "" && b.flags.Lookup(f.flagName()) != nil {
			return fmt.Errorf("%w: field %s: flag -%s is defined already", client.ErrBadArgument, f.name, f.flagName())
		}
	}
	return nil
}

// environment lays the environment over a value.
func (b *Binding[T]) environment(v *T) error {
	for _, f := range b.fields {
		name := f.envName(b.prefix)
		if name == "" {
			continue
		}
		text, ok := b.lookup(name)
		if !ok {
			continue
		}
		if err := f.parse(v, text); err != nil {
			return fmt.Errorf("%w: environment variable %s: %w", client.ErrBadArgument, name, err)
		}
	}
	return nil
}

// explicit lays the flags that were given over a value.
func (b *Binding[T]) explicit(v *T) {
	if b.flags == nil {
		return
	}
	b.flags.Visit(func(f *flag.Flag) {
		if own, ok := f.Value.(*flagValue); ok {
			_ = own.field.parse(v, own.text) // Set has parsed it
		}
	})
}

// flagValue is a field as package flag sees it.
type flagValue struct {
	field field
	text  string
}

// String implements flag.Value.
func (f *flagValue) String() string { return f.text }

// Set implements flag.Value.
func (f *flagValue) Set(text string) error {
	if err := f.field.try(text); err != nil {
		return err
	}
	f.text = text
	return nil
}

// IsBoolFlag lets a boolean be given by its name alone.
func (f *flagValue) IsBoolFlag() bool { return f.field.boolean }
