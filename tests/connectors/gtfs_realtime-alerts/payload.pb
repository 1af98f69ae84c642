

2.0ş¾Ñ
a1*{
ğŞ¾Ñ€ÄÑ*B35**S:10
8R3

Detour of line 35en

Umleitung Linie 35deZ$
"
 Wegen Bauarbeiten Ã¼ber Bahnhof.
a2*8
a1*R
	
Doppelt