// Package s3fake is an S3 for tests, as far as rewrap uses it: objects with
// their keys, listed, looked at, read, written again, copied onto themselves and
// put under another key. It checks what S3 checks (conditions, sizes, that a key is
// named by ARN) and can lose an answer after it has done what was asked.
package s3fake

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Object is one of the fake.
type Object struct {
	Data                    []byte
	Key                     string // ARN of the KMS key; empty is SSE-S3
	Dual                    bool   // DSSE-KMS
	Class, Lock, Version    string
	Modified                time.Time
	Meta, Tags              map[string]string
	Size                    int64 // if it is not the length of Data
	writes                  int
	ContentType, Redirected string
}

func (o *Object) etag() string { return fmt.Sprintf(`"%016x-%d"`, len(o.Data), o.writes) }

func (o *Object) size() int64 {
	if o.Size != 0 {
		return o.Size
	}
	return int64(len(o.Data))
}

// A Server is a running fake.
type Server struct {
	URL string

	mu      sync.Mutex
	objects map[string]*Object // by bucket/key
	calls   map[string]int
	lose    map[string]int // answers to lose, by operation
	refuse  map[string]string
	http    *http.Server
}

// Start starts a fake with objects by "bucket/key".
func Start(objects map[string]*Object) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + listener.Addr().String(), objects: objects, calls: map[string]int{}, lose: map[string]int{}, refuse: map[string]string{}}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.http.Serve(listener) }()
	return s, nil
}

// Close ends the server.
func (s *Server) Close() { _ = s.http.Close() }

// Lose makes the answers to the next n requests of an operation be lost, after
// they were carried out.
func (s *Server) Lose(operation string, n int) { s.with(func() { s.lose[operation] = n }) }

// Refuse makes an operation answer with an error code; an empty one heals it.
func (s *Server) Refuse(operation, code string) { s.with(func() { s.refuse[operation] = code }) }

// Count returns how often an operation was asked for.
func (s *Server) Count(operation string) (n int) {
	s.with(func() { n = s.calls[operation] })
	return n
}

// Object returns a copy of an object as it is now.
func (s *Server) Object(name string) (o Object) {
	s.with(func() { o = *s.objects[name] })
	return o
}

// Change alters the objects.
func (s *Server) Change(f func(map[string]*Object)) { s.with(func() { f(s.objects) }) }

// Write has somebody else write an object again.
func (s *Server) Write(name string, data []byte) {
	s.with(func() {
		o := s.objects[name]
		o.Data = data
		o.writes++
	})
}

func (s *Server) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	name := strings.TrimPrefix(r.URL.Path, "/")
	op := operation(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[op]++
	code := s.refuse[op]
	if code == "" && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		code = "AccessDenied"
	}
	o := s.objects[name]
	switch {
	case code != "":
	case op == "ListObjectsV2":
		s.list(w, r, strings.TrimSuffix(name, "/"))
		return
	case o == nil:
		code = "NoSuchKey"
	default:
		code = s.object(w, r, op, o, body)
	}
	if code != "" {
		fail(w, r, code)
	}
}

func operation(r *http.Request) string {
	switch {
	case r.Method == http.MethodHead:
		return "HeadObject"
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		return "ListObjectsV2"
	case r.Method == http.MethodGet && r.URL.Query().Has("tagging"):
		return "GetObjectTagging"
	case r.Method == http.MethodGet:
		return "GetObject"
	case r.URL.Query().Has("encryption"):
		return "UpdateObjectEncryption"
	case r.Header.Get("X-Amz-Copy-Source") != "":
		return "CopyObject"
	case r.Method == http.MethodPut:
		return "PutObject"
	}
	return r.Method
}

func fail(w http.ResponseWriter, r *http.Request, code string) {
	status := map[string]int{"NoSuchKey": 404, "AccessDenied": 403, "PreconditionFailed": 412, "NotImplemented": 501, "PermanentRedirect": 301, "InternalError": 500}[code]
	if status == 0 {
		status = 400
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>the fake says so</Message></Error>", code)
	}
}

// object carries out what is asked of one object.
func (s *Server) object(w http.ResponseWriter, r *http.Request, op string, o *Object, body []byte) (code string) {
	switch op {
	case "HeadObject", "GetObject":
		if want := r.Header.Get("If-Match"); want != "" && want != o.etag() {
			return "PreconditionFailed"
		}
		headers(w, o)
		if op == "GetObject" {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusPartialContent)
			}
			_, _ = w.Write(o.Data)
		}
		return ""
	case "GetObjectTagging":
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, "<Tagging><TagSet>")
		for name, value := range o.Tags {
			fmt.Fprintf(w, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", xmlText(name), xmlText(value))
		}
		fmt.Fprint(w, "</TagSet></Tagging>")
		return ""
	case "PutObject":
		code = put(r, o, body)
	case "UpdateObjectEncryption":
		code = update(o, body)
	case "CopyObject":
		code = copyOnto(r, o)
	default:
		return "MethodNotAllowed"
	}
	if code != "" {
		return code
	}
	if s.lose[op] > 0 {
		s.lose[op]--
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
		return ""
	}
	w.Header().Set("Content-Type", "application/xml")
	if op == "CopyObject" {
		fmt.Fprintf(w, "<CopyObjectResult><ETag>%s</ETag></CopyObjectResult>", xmlText(o.etag()))
	}
	return ""
}

func headers(w http.ResponseWriter, o *Object) {
	h := w.Header()
	h.Set("ETag", o.etag())
	h.Set("Content-Length", fmt.Sprint(o.size()))
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	h.Set("Content-Type", o.ContentType)
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set("X-Amz-Storage-Class", o.Class)
	set("X-Amz-Version-Id", o.Version)
	set("X-Amz-Object-Lock-Mode", o.Lock)
	set("X-Amz-Website-Redirect-Location", o.Redirected)
	sse := "AES256"
	if o.Key != "" {
		sse = "aws:kms"
		set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", o.Key)
	}
	if o.Dual {
		sse += ":dsse"
	}
	set("X-Amz-Server-Side-Encryption", sse)
	if len(o.Tags) > 0 {
		set("X-Amz-Tagging-Count", fmt.Sprint(len(o.Tags)))
	}
	for name, value := range o.Meta {
		set("X-Amz-Meta-"+name, value)
	}
}

// update puts the data key under another key, and leaves all else.
func update(o *Object, body []byte) string {
	var in struct {
		KMS struct {
			ARN string `xml:"KMSKeyArn"`
		} `xml:"SSE-KMS"`
	}
	switch err := xml.Unmarshal(body, &in); {
	case err != nil, !strings.HasPrefix(in.KMS.ARN, "arn:"), o.Dual:
		return "InvalidRequest"
	case o.Lock != "":
		return "AccessDenied"
	}
	o.Key = in.KMS.ARN
	return ""
}

// put writes the object again, if it is the one that is meant: what the request
// does not name is gone.
func put(r *http.Request, o *Object, body []byte) string {
	h := r.Header
	switch {
	case h.Get("If-Match") != "" && h.Get("If-Match") != o.etag():
		return "PreconditionFailed"
	case strings.HasPrefix(h.Get("X-Amz-Content-Sha256"), "STREAMING-"):
		return "NotImplemented" // the fake does not read chunks
	}
	tags, err := url.ParseQuery(h.Get("X-Amz-Tagging"))
	if err != nil {
		return "InvalidRequest"
	}
	o.Data, o.Key, o.Class = body, h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), h.Get("X-Amz-Storage-Class")
	o.ContentType, o.Redirected, o.Dual = h.Get("Content-Type"), h.Get("X-Amz-Website-Redirect-Location"), strings.HasSuffix(h.Get("X-Amz-Server-Side-Encryption"), ":dsse")
	o.Meta, o.Tags, o.Modified = nil, nil, time.Now()
	for name := range h {
		if rest, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok {
			if o.Meta == nil {
				o.Meta = map[string]string{}
			}
			o.Meta[strings.ToLower(rest)] = h.Get(name)
		}
	}
	for name := range tags {
		if o.Tags == nil {
			o.Tags = map[string]string{}
		}
		o.Tags[name] = tags.Get(name)
	}
	o.writes++
	if o.Version != "" {
		o.Version += "+"
	}
	return ""
}

// copyOnto writes the object again under the key named.
func copyOnto(r *http.Request, o *Object) string {
	h := r.Header
	source, _, _ := strings.Cut(h.Get("X-Amz-Copy-Source"), "?")
	// S3 takes a plus sign for a blank, as in forms.
	if plain, err := url.QueryUnescape(source); err != nil || "/"+strings.TrimPrefix(plain, "/") != r.URL.Path {
		return "InvalidRequest"
	}
	switch {
	case h.Get("X-Amz-Copy-Source-If-Match") != o.etag() || h.Get("If-Match") != o.etag():
		return "PreconditionFailed"
	case o.size() > 5<<30:
		return "InvalidRequest"
	}
	o.Key, o.Class, o.Redirected = h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), h.Get("X-Amz-Storage-Class"), h.Get("X-Amz-Website-Redirect-Location")
	if h.Get("X-Amz-Metadata-Directive") != "COPY" {
		o.Meta = nil
	}
	o.Modified = time.Now()
	o.writes++
	if o.Version != "" {
		o.Version += "+"
	}
	return ""
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// list gives two names a page.
func (s *Server) list(w http.ResponseWriter, r *http.Request, bucket string) {
	prefix, after := bucket+"/"+r.URL.Query().Get("prefix"), r.URL.Query().Get("continuation-token")
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(name, prefix) && name > after {
			names = append(names, name)
		}
	}
	more := ""
	if len(names) > 2 {
		names = names[:2]
		more = names[1]
	}
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%t</IsTruncated>", more != "")
	if more != "" {
		fmt.Fprintf(w, "<NextContinuationToken>%s</NextContinuationToken>", xmlText(more))
	}
	for _, name := range names {
		fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", xmlText(strings.TrimPrefix(name, bucket+"/")))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}
