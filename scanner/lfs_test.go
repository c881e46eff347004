package scanner

import (
	"strings"
	"testing"
)

func TestParseLFSPointer(t *testing.T) {
	const version = "version https://git-lfs.github.com/spec/v1\n"
	sum := strings.Repeat("0123456789abcdef", 4)
	for _, test := range []struct {
		name, text string
		ok         bool
		oid        string
		size       int64
	}{
		{"a pointer", version + "oid sha256:" + sum + "\nsize 12\n", true, sum, 12},
		{"with extensions", version + "ext-0-x sha256:" + sum[1:] + "0\noid sha256:" + sum + "\nsize 12\n", true, sum, 12},
		{"lines of Windows", strings.ReplaceAll(version+"oid sha256:"+sum+"\nsize 12\n", "\n", "\r\n"), true, sum, 12},
		{"no size", version + "oid sha256:" + sum, true, sum, -1},
		{"a size below zero", version + "oid sha256:" + sum + "\nsize -1\n", true, sum, -1},
		{"another hash", version + "oid sha512:" + sum + "\n", true, "", -1},
		{"a path", version + "oid sha256:../" + sum[3:] + "\n", true, "", -1},
		{"capitals", version + "oid sha256:" + strings.ToUpper(sum) + "\n", true, "", -1},
		{"too short", version + "oid sha256:" + sum[1:] + "\n", true, "", -1},
		{"no oid", version + "size 12\n", false, "", 12},
		{"another text", "oid sha256:" + sum + "\n", false, "", 0},
		{"too long", version + "oid sha256:" + sum + "\n" + strings.Repeat("x", 1024), false, "", 0},
		{"empty", "", false, "", 0},
	} {
		p, ok := ParseLFSPointer([]byte(test.text))
		if ok != test.ok || p.OID != test.oid || p.Size != test.size {
			t.Errorf("%s: %+v, %v", test.name, p, ok)
		}
	}
}
