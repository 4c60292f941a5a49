package config

import "reflect"

// deepCopy copies a value so that decoding into the copy leaves the original as it is: maps, slices and
// what exported fields and pointers lead to are copied. Other things are shared.
func deepCopy[T any](v T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	copyInto(out, reflect.ValueOf(&v).Elem(), 0)
	c, _ := reflect.TypeAssert[T](out)
	return c
}

// deepest bounds the copying of what points to itself.
const deepest = 64

func copyInto(to, from reflect.Value, depth int) {
	to.Set(from)
	if depth > deepest {
		return
	}
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			p := reflect.New(from.Type().Elem())
			copyInto(p.Elem(), from.Elem(), depth+1)
			to.Set(p)
		}
	case reflect.Interface:
		if !from.IsNil() {
			c := reflect.New(from.Elem().Type()).Elem()
			copyInto(c, from.Elem(), depth+1)
			to.Set(c)
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyInto(to.Field(i), from.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		if !from.IsNil() {
			s := reflect.MakeSlice(from.Type(), from.Len(), from.Len())
			for i := range from.Len() {
				copyInto(s.Index(i), from.Index(i), depth+1)
			}
			to.Set(s)
		}
	case reflect.Array:
		for i := range from.Len() {
			copyInto(to.Index(i), from.Index(i), depth+1)
		}
	case reflect.Map:
		if !from.IsNil() {
			m := reflect.MakeMapWithSize(from.Type(), from.Len())
			for it := from.MapRange(); it.Next(); {
				e := reflect.New(from.Type().Elem()).Elem()
				copyInto(e, it.Value(), depth+1)
				m.SetMapIndex(it.Key(), e)
			}
			to.Set(m)
		}
	default:
	}
}
