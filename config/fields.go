package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/zookit/zookit/client"
)

// field is a field of a struct that can be written as text.
type field struct {
	name    string // its JSON names, joined by dots
	index   []int
	typ     reflect.Type
	env     string // the tag
	flag    string // the tag
	usage   string
	boolean bool
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	duration        = reflect.TypeFor[time.Duration]()
)

// fieldsOf returns the fields of the struct that v points to.
func fieldsOf(v any) ([]field, error) {
	t := reflect.TypeOf(v).Elem()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: a %s has no fields to bind, only a struct has", client.ErrBadArgument, t)
	}
	return walkFields(t, nil, ""), nil
}

func walkFields(t reflect.Type, index []int, prefix string) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "-" {
			continue
		}
		at := append(append([]int(nil), index...), i)
		switch {
		case sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct:
			out = append(out, walkFields(sf.Type, at, prefix)...)
			continue
		case name == "":
			name = sf.Name
		}
		f := field{
			name: prefix + name, index: at, typ: sf.Type,
			env: sf.Tag.Get("env"), flag: sf.Tag.Get("flag"), usage: sf.Tag.Get("usage"),
			boolean: sf.Type.Kind() == reflect.Bool,
		}
		switch {
		case f.textual(f.typ):
			out = append(out, f)
		case sf.Type.Kind() == reflect.Struct:
			out = append(out, walkFields(sf.Type, at, f.name+".")...)
		}
	}
	return out
}

// textual tells whether values of a type can be written as text.
func (f field) textual(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(textUnmarshaler) {
		return true
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Slice && f.textual(t.Elem())
	default:
		return false
	}
}

func (f field) flagName() string {
	switch f.flag {
	case "-":
		return ""
	case "":
		return strings.ReplaceAll(f.name, "_", "-")
	default:
		return f.flag
	}
}

func (f field) envName(prefix string) string {
	switch {
	case f.env == "-" || f.env == "" && prefix == "":
		return ""
	case f.env != "":
		return f.env
	default:
		return prefix + "_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(f.name))
	}
}

// parse sets the field of the struct that v points to.
func (f field) parse(v any, text string) error {
	return parseText(reflect.ValueOf(v).Elem().FieldByIndex(f.index), text)
}

// try tells what is wrong with a text, if anything.
func (f field) try(text string) error { return parseText(reflect.New(f.typ).Elem(), text) }

// text writes the field of the struct that v points to.
func (f field) text(v any) string { return formatText(reflect.ValueOf(v).Elem().FieldByIndex(f.index)) }

func parseText(to reflect.Value, text string) error {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](to.Addr()); ok {
		return u.UnmarshalText([]byte(text))
	}
	t := to.Type()
	switch {
	case t == duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		to.SetInt(int64(d))
		return nil
	case t.Kind() == reflect.Slice:
		return parseSlice(to, text)
	}
	return parseBasic(to, text)
}

func parseBasic(to reflect.Value, text string) error {
	t := to.Type()
	switch t.Kind() {
	case reflect.String:
		to.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		to.SetBool(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 0, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number of %d bits", text, t.Bits())
		}
		to.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 0, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number from 0 on of %d bits", text, t.Bits())
		}
		to.SetUint(n)
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(text, t.Bits())
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		to.SetFloat(x)
	default:
		return fmt.Errorf("a %s cannot be written as text", t)
	}
	return nil
}

func parseSlice(to reflect.Value, text string) error {
	if text == "" {
		to.Set(reflect.MakeSlice(to.Type(), 0, 0))
		return nil
	}
	parts := strings.Split(text, ",")
	s := reflect.MakeSlice(to.Type(), len(parts), len(parts))
	for i, part := range parts {
		if err := parseText(s.Index(i), strings.TrimSpace(part)); err != nil {
			return fmt.Errorf("element %d: %w", i+1, err)
		}
	}
	to.Set(s)
	return nil
}

func formatText(v reflect.Value) string {
	switch m := v.Interface().(type) {
	case encoding.TextMarshaler:
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	case fmt.Stringer:
		return m.String()
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = formatText(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v.Interface())
}

// structFields is fieldsOf for what a user gives.
func structFields(v any) ([]field, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%w: %T is no pointer to a struct", client.ErrBadArgument, v)
	}
	return fieldsOf(v)
}
