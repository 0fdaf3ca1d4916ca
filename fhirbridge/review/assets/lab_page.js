const $=(s)=>document.querySelector(s),all=(s)=>[...document.querySelectorAll(s)];
all('img').forEach(i=>{const f=()=>i.nextSibling.setAttribute('viewBox',`0 0 ${i.naturalWidth} ${i.naturalHeight}`);
 i.complete?f():i.onload=f});
function show(n,jump){all('.on').forEach(e=>e.classList.remove('on'));const r=$('#r'+n),m=$('#m'+n),b=$('#b'+n);
 if(!r)return;r.classList.add('on');m.classList.add('on');
 if(b){b.classList.add('on');crop(r,m)}(jump?r:b||r).scrollIntoView({block:'center',behavior:'smooth'});
 if(jump)r.focus({preventScroll:true})}
function crop(r,m){const i=$('#p'+r.dataset.page),[x,y,w,h]=r.dataset.box.split(',').map(Number),c=m.querySelector('canvas');
 const d=Math.round(h*0.4),s=Math.min(3,Math.max(1,64/h));c.width=(w+2*d)*s;c.height=(h+2*d)*s;
 c.getContext('2d').drawImage(i,x-d,y-d,w+2*d,h+2*d,0,0,c.width,c.height)}
const id=(e)=>e.id.slice(1);
all('tr.row').forEach(r=>{r.onclick=()=>show(id(r));r.onfocus=()=>r.matches(':focus-visible')&&show(id(r));
 r.onkeydown=e=>{const k={ArrowDown:1,ArrowUp:-1}[e.key],rs=all('tr.row');
  if(k){const o=rs[rs.indexOf(r)+k];if(o){o.focus();show(id(o))}e.preventDefault()}
  if(e.key==='Enter')show(id(r))}});
all('rect').forEach(b=>b.onclick=()=>show(id(b),true));
const first=$('tr.row');if(first)first.focus({preventScroll:true});
