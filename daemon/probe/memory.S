// What compilers call for copying and clearing even where there is no C library.

#if defined(__x86_64__)
    .text
    .globl memcpy
    .type memcpy, @function
memcpy:
    movq %rdi, %rax
    movq %rdx, %rcx
    rep movsb
    ret
    .size memcpy, .-memcpy

    .globl memset
    .type memset, @function
memset:
    movq %rdi, %r8
    movl %esi, %eax
    movq %rdx, %rcx
    rep stosb
    movq %r8, %rax
    ret
    .size memset, .-memset
#elif defined(__aarch64__)
    .text
    .globl memcpy
    .type memcpy, %function
memcpy:
    mov x3, x0
1:  cbz x2, 2f
    ldrb w4, [x1], #1
    strb w4, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret
    .size memcpy, .-memcpy

    .globl memset
    .type memset, %function
memset:
    mov x3, x0
1:  cbz x2, 2f
    strb w1, [x3], #1
    sub x2, x2, #1
    b 1b
2:  ret
    .size memset, .-memset
#endif

    .section .note.GNU-stack,"",%progbits
