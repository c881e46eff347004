package pack

import (
	"container/list"
	"sync"
)

// baseCache keeps objects that others are likely to be made of, the least
// recently used being dropped first. It is safe for concurrent use. What it
// returns must not be changed.
type baseCache struct {
	mu    sync.Mutex
	limit int64
	size  int64
	items map[cacheKey]*list.Element
	order list.List // of *cacheItem, the latest first
}

type cacheKey struct {
	pack   *packFile
	offset int64
}

type cacheItem struct {
	key  cacheKey
	kind Kind
	data []byte
}

func newBaseCache(limit int64) *baseCache {
	return &baseCache{limit: limit, items: map[cacheKey]*list.Element{}}
}

func (c *baseCache) get(p *packFile, offset int64) (Kind, []byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[cacheKey{p, offset}]
	if e == nil {
		return 0, nil, false
	}
	c.order.MoveToFront(e)
	it := e.Value.(*cacheItem)
	return it.kind, it.data, true
}

// put adds an object unless it is so large that it would push out many.
func (c *baseCache) put(p *packFile, offset int64, kind Kind, data []byte) {
	size := int64(cap(data)) + 128
	if size > c.limit/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{p, offset}
	if c.items[key] != nil {
		return
	}
	c.items[key] = c.order.PushFront(&cacheItem{key, kind, data})
	for c.size += size; c.size > c.limit; {
		last := c.order.Back()
		it := last.Value.(*cacheItem)
		c.order.Remove(last)
		delete(c.items, it.key)
		c.size -= int64(cap(it.data)) + 128
	}
}
