package report

import (
	"net/url"
	"strings"
)

// percentEncode writes the bytes of a path as a URI path (RFC 3986): slashes
// and unreserved characters as they are, every other byte by its number, so
// that any path survives.
func percentEncode(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// repositoryURI returns the address of a repository as a URI without user
// name, password, query and fragment, or "" if it is none. The short form
// of git, host:path, becomes an ssh address.
func repositoryURI(address string) string {
	if !strings.Contains(address, "://") {
		host, path, ok := strings.Cut(address, ":")
		if !ok || strings.Contains(host, "/") || len(host) < 2 {
			return "" // a path on this machine, which is nobody's business
		}
		_, host, found := cutLast(host, "@")
		if !found {
			host, _, _ = strings.Cut(address, ":")
		}
		address = "ssh://" + host + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme == "file" {
		return ""
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return clean.String()
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
