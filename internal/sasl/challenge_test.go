package sasl

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func isOurs(err error) bool {
	return errors.Is(err, ErrMalformed) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrUnproven)
}

func TestChallenges(t *testing.T) {
	const sound = `nonce="n",algorithm=md5-sess`
	for message, want := range map[string]*challenge{
		sound:                                  {nonce: []byte("n")},
		`NONCE="n",Algorithm="MD5-Sess"`:       {nonce: []byte("n")},
		`nonce=n,algorithm=md5-sess`:           {nonce: []byte("n")},
		" \t,, " + sound + "\r\n , ,":          {nonce: []byte("n")},
		"nonce = \"n\"\t,algorithm\n=md5-sess": {nonce: []byte("n")},
		sound + `,charset=UTF-8,realm="ü"`:     {nonce: []byte("n"), utf8: true, hasRealm: true, realm: []byte("ü")},
		sound + ",realm=\"\xfc\"":              {nonce: []byte("n"), hasRealm: true, realm: []byte("\xfc")},
		sound + `,qop="auth-int, auth"`:        {nonce: []byte("n")},
		sound + `,qop=AUTH`:                    {nonce: []byte("n")},
		sound + `,stale=true,maxbuf=9,cipher="des,3des",cipher="",x-new="\,"`: {nonce: []byte("n")},
	} {
		got, err := parseChallenge([]byte(message))
		require.NoError(t, err, "%q", message)
		require.Equal(t, want, got, "%q", message)
	}
	for message, c := range map[string]struct {
		is   error
		says string
	}{
		"":                                      {ErrMalformed, "no nonce"},
		"algorithm=md5-sess":                    {ErrMalformed, "no nonce"},
		`nonce="",algorithm=md5-sess`:           {ErrMalformed, "no nonce"},
		sound + `,nonce="m"`:                    {ErrMalformed, "nonce comes twice"},
		sound + `,algorithm=md5-sess`:           {ErrMalformed, "algorithm comes twice"},
		sound + `,qop=auth,qop=auth`:            {ErrMalformed, "qop comes twice"},
		sound + `,charset=utf-8,CHARSET=b`:      {ErrMalformed, "charset comes twice"},
		sound + ",charset=utf-8,realm=\"\xfc\"": {ErrMalformed, "not UTF-8"},
		`nonce="n"`:                             {ErrUnsupported, `algorithm ""`},
		`nonce="n",algorithm=md5`:               {ErrUnsupported, `algorithm "md5"`},
		sound + `,qop="auth-int,auth-conf"`:     {ErrUnsupported, `qop "auth-int,auth-conf"`},
		sound + `,qop=""`:                       {ErrUnsupported, `qop ""`},
		sound + `,charset=ebcdic`:               {ErrUnsupported, `charset "ebcdic"`},
		`nonce`:                                 {ErrMalformed, "without a value at byte 5"},
		`nonce=`:                                {ErrMalformed, "without a value at byte 6"},
		`nonce=,a=b`:                            {ErrMalformed, "without a value at byte 6"},
		`="n"`:                                  {ErrMalformed, "no name of a directive at byte 0"},
		`nonce="n" algorithm=md5-sess`:          {ErrMalformed, "no comma after a directive at byte 10"},
		`nonce="n"x`:                            {ErrMalformed, "no comma"},
		`nonce="n`:                              {ErrMalformed, "without an end"},
		`nonce="n\"`:                            {ErrMalformed, "without an end"},
		`nonce="\`:                              {ErrMalformed, "without an end"},
		"nonce=\"a\nb\"":                        {ErrMalformed, "a control character"},
		"nonce=\"a\\\x00b\"":                    {ErrMalformed, "a control character"},
		"nonce=\"a\x7f\"":                       {ErrMalformed, "a control character"},
		"\x00":                                  {ErrMalformed, "no name"},
		"ü=n":                                   {ErrMalformed, "no name"},
		"rspauth=24cfb894ca1060e5":              {ErrMalformed, "no nonce"},
		sound + strings.Repeat(" ", maxMessage): {ErrMalformed, "the limit is 2047"},
	} {
		got, err := parseChallenge([]byte(message))
		require.ErrorIs(t, err, c.is, "%q", message)
		require.ErrorContains(t, err, c.says, "%q", message)
		require.Nil(t, got)
	}
}
