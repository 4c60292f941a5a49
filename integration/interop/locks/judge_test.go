package locks

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// judge says that at no moment more held than may: one writer and nobody else, or readers, or as
// many permits as there are. It returns the most that held at once in each mode. A
// holding is taken to last from its first to its last moment, so what is found wrong was wrong: none
// that had ended by then is blamed, however late it is heard of.
func judge(all []holding, limit int) (most map[string]int, err error) {
	type moment struct {
		version, change int
		h               *holding
	}
	moments := make([]moment, 0, 2*len(all))
	for i := range all {
		h := &all[i]
		moments = append(moments, moment{h.first, h.weight, h}, moment{h.last, -h.weight, h})
	}
	// A holding of one moment begins before it ends.
	slices.SortStableFunc(moments, func(a, b moment) int {
		return cmp.Or(cmp.Compare(a.version, b.version), -cmp.Compare(a.change, b.change))
	})
	inside := map[*holding]bool{}
	now, most := map[string]int{}, map[string]int{}
	for _, m := range moments {
		now[m.h.mode] += m.change
		most[m.h.mode] = max(most[m.h.mode], now[m.h.mode])
		if m.change < 0 {
			delete(inside, m.h)
			continue
		}
		inside[m.h] = true
		if now["write"] > 1 || now["write"] == 1 && now["read"] > 0 || now["permit"] > limit {
			var together []holding
			for h := range inside {
				together = append(together, *h)
			}
			return most, fmt.Errorf("these hold at once, in version %d of the ledger: %+v", m.version, together)
		}
	}
	return most, nil
}

func TestJudge(t *testing.T) {
	t.Parallel()
	h := func(mode string, weight, first, last int) holding {
		return holding{who: "x", mode: mode, weight: weight, first: first, last: last}
	}
	for name, c := range map[string]struct {
		all   []holding
		wrong bool
	}{
		"one after the other":   {all: []holding{h("write", 1, 3, 4), h("write", 1, 1, 2), h("write", 1, 5, 5)}},
		"two writers":           {all: []holding{h("write", 1, 1, 3), h("write", 1, 2, 4)}, wrong: true},
		"one inside another":    {all: []holding{h("write", 1, 1, 4), h("write", 1, 2, 2)}, wrong: true},
		"a writer with readers": {all: []holding{h("read", 1, 1, 3), h("write", 1, 2, 4)}, wrong: true},
		"a reader with writers": {all: []holding{h("write", 1, 1, 3), h("read", 1, 2, 4)}, wrong: true},
		"readers":               {all: []holding{h("read", 1, 1, 3), h("read", 1, 2, 5), h("write", 1, 6, 7)}},
		"as many permits":       {all: []holding{h("permit", 2, 1, 3), h("permit", 1, 2, 5)}},
		"a permit too many":     {all: []holding{h("permit", 2, 1, 4), h("permit", 2, 2, 5)}, wrong: true},
	} {
		_, err := judge(c.all, 3)
		require.Equal(t, c.wrong, err != nil, "%s: %v", name, err)
	}
	most, err := judge([]holding{h("read", 1, 1, 4), h("read", 1, 2, 3), h("permit", 2, 5, 8), h("permit", 1, 6, 6)}, 3)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"read": 2, "permit": 3}, most)
}
